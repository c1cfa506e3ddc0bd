-- quern migration: core/0002_add_webhooks
-- Changes what all queues share: adds the queue "webhooks".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'email': shop.email
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_dequeue()
-- 'email': shop.email
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_ack()
-- 'email': shop.email
-- 'webhooks': shop.webhooks
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'email': shop.email
;

create or replace function shop.queue_dequeue()
-- 'email': shop.email
;

create or replace function shop.queue_ack()
-- 'email': shop.email
;
