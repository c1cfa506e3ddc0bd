-- quern migration: email/0002_change_options
-- Changes queue email: changes unique.within.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_hold_key()
-- for interval '2 hours'
-- order_id bigint = new.order_id::bigint
;

-- reverse
create or replace function shop.email_hold_key()
-- for interval '1 hour'
-- order_id bigint = new.order_id::bigint
;
