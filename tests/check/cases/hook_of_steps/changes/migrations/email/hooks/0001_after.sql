-- What it is about.
-- step: before
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
select 1;
-- reverse
lock table shop.customer;
-- step: index
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: no
create index concurrently customer_name on shop.customer (name);
-- probe
select true from customer;
-- cleanup
drop index concurrently if exists shop.customer_name;
-- reverse
drop index shop.customer_name;
