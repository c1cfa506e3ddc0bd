-- quern migration: core/0002_add_channel
-- Changes what all queues share: adds the enumeration "channel".

-- step: types
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create type shop.channel as enum ('email', 'sms');

-- reverse
drop type shop.channel;

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
