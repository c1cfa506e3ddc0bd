-- quern migration: core/0002_add_sms
-- Changes what all queues share: adds the queue "sms".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'email': shop.email
-- 'sms': shop.sms
;

create or replace function shop.queue_dequeue()
-- 'email': shop.email
-- 'sms': shop.sms
;

create or replace function shop.queue_ack()
-- 'email': shop.email
-- 'sms': shop.sms
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
