-- step: one
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: no
reindex index concurrently shop.customer_name;
-- probe
select true; select false;
