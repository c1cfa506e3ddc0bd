-- quern migration: email/0002_change_options
-- Changes queue email: changes expires.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
-- ends interval '90 minutes' after it is due
;

-- reverse
create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
-- ends interval '1 hour' after it is due
;

-- step: expiry
-- lock: access exclusive on shop.email_message, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  alter column quern_expires_at set default now() + interval '90 minutes';

-- reverse
alter table shop.email_message
  alter column quern_expires_at set default now() + interval '1 hour';
