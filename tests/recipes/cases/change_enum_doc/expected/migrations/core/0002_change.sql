-- quern migration: core/0002_change
-- Changes what all queues share: changes the comment of the enumeration "channel".

-- step: types
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

comment on type shop.channel is 'How a customer is reached.';

-- reverse
comment on type shop.channel is null;

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
