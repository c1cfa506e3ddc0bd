-- quern migration: core/0003_change
-- Changes what all queues share: drops the stream "news".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'other': shop.other
;

create or replace function shop.queue_dequeue()
-- 'other': shop.other
;

create or replace function shop.queue_ack()
-- 'other': shop.other
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
;

create or replace function shop.stream_consume()
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'other': shop.other
;

create or replace function shop.queue_dequeue()
-- 'other': shop.other
;

create or replace function shop.queue_ack()
-- 'other': shop.other
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'news': shop.news, if it is there
-- 'activity': shop.activity, if it is there
;

create or replace function shop.stream_consume()
-- 'news': shop.news, if it is there
-- 'activity': shop.activity, if it is there
;
