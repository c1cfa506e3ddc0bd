-- step: one
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: no
begin;
reindex index concurrently shop.customer_name;
commit;
