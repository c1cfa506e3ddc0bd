-- quern migration: core/0002_change
-- Changes what all queues share: drops the stream "activity".

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
-- 'raw': shop.raw
;

create or replace function shop.stream_consume()
-- 'raw': shop.raw
;

-- reverse
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
-- 'raw': shop.raw
-- 'activity': shop.activity
;

create or replace function shop.stream_consume()
-- 'raw': shop.raw
-- 'activity': shop.activity
;
