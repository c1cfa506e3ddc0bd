-- quern migration: core/0002_change
-- Changes what all queues share: adds values to the enumeration "channel".

-- step: values
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- Without a way back: PostgreSQL takes no value away from a type.
alter type shop.channel add value if not exists 'push';

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.queue_enqueue()
-- 'email': shop.email
;

create or replace function shop.queue_dequeue()
-- 'email': shop.email
;

create or replace function shop.queue_ack()
-- 'email': shop.email
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
