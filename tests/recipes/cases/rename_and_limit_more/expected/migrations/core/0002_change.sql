-- quern migration: core/0002_change
-- Changes what all queues share: renames the queue "email" to "mail".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

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
