-- quern migration: email/0002_mine
-- step: one
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
select 1;
