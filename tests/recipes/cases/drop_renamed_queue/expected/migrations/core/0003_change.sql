-- quern migration: core/0003_change
-- Changes what all queues share: drops the queue "mail".

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

-- reverse
create or replace function shop.queue_enqueue()
-- 'other': shop.other
-- 'mail': shop.mail, if it is there
-- 'email': shop.email, if it is there
;

create or replace function shop.queue_dequeue()
-- 'other': shop.other
-- 'mail': shop.mail, if it is there
-- 'email': shop.email, if it is there
;

create or replace function shop.queue_ack()
-- 'other': shop.other
-- 'email': shop.mail, if it is there
-- 'email': shop.email, if it is there
;
