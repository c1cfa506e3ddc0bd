-- step: add
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
alter table shop.customer add constraint customer_name_given check (name is not null) not valid;
-- step: validate
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
alter table shop.customer validate constraint customer_name_given;
-- step: set
-- lock: as the statements take
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes
alter table shop.customer alter column name set not null;
alter table shop.customer alter column email set not null;
