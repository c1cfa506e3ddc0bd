-- step: index
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: no
create index concurrently customer_name on shop.customer (name);
-- cleanup
drop index concurrently if exists shop.another;
-- reverse
drop index concurrently shop.customer_name;
