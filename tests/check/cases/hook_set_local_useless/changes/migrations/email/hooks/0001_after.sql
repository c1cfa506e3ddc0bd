-- step: one
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: no
set local work_mem = '64MB';
reindex index concurrently shop.customer_name;
