-- quern migration: core/0002_change
-- Changes what all queues share: drops the queue "email".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;
