-- quern migration: core/0002_add_activity
-- Changes what all queues share: adds the stream "activity".

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

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'activity': shop.activity
;

create or replace function shop.stream_consume()
-- 'activity': shop.activity
;

-- reverse
drop function shop.quern_is_own_transaction;
drop function shop.stream_publish;
drop function shop.stream_consume;

create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
;
