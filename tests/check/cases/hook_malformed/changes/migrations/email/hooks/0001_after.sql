-- step: index
-- lock: none
-- transaction: maybe
select 1;
-- step: empty
-- lock: none
-- lock_timeout: soon
-- statement_timeout: 0
-- transaction: yes
