-- quern migration: core/0003_change
-- Changes what all queues share: renames the queue "mail" to "email".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'email': shop.email, if it is there
-- 'mail': shop.mail, if it is there
;

create or replace function shop.queue_dequeue()
-- 'email': shop.email, if it is there
-- 'mail': shop.mail, if it is there
;

create or replace function shop.queue_ack()
-- 'email': shop.email, if it is there
-- 'email': shop.mail, if it is there
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'mail': shop.mail, if it is there
-- 'email': shop.email, if it is there
;

create or replace function shop.queue_dequeue()
-- 'mail': shop.mail, if it is there
-- 'email': shop.email, if it is there
;

create or replace function shop.queue_ack()
-- 'email': shop.mail, if it is there
-- 'email': shop.email, if it is there
;
