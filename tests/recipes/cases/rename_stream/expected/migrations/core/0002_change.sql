-- quern migration: core/0002_change
-- Changes what all queues share: renames the stream "activity" to "news".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
;

create or replace function shop.queue_dequeue()
;

create or replace function shop.queue_ack()
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

-- reverse
create or replace function shop.queue_enqueue()
;

create or replace function shop.queue_dequeue()
;

create or replace function shop.queue_ack()
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'activity': shop.activity
;

create or replace function shop.stream_consume()
-- 'activity': shop.activity
;
