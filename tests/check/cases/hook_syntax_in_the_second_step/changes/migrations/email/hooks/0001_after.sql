-- step: one
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
select 1;
-- step: two
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
select 1
select 2;
