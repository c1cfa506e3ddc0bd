-- quern migration: email/0002_change_options
-- Changes queue email: changes expires.
-- roles: mailer, ops, web

-- step: expiry
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column quern_expires_at timestamptz;
alter table shop.email_delayed
  add column quern_expires_at timestamptz;
alter table shop.email_dead
  add column quern_expires_at timestamptz;

comment on column shop.email_message.quern_expires_at is 'When it ends unless it was handled.';

create function shop.email_expire(p_message_ids bigint[])
-- v1 and older, kept, quern_expires_at, order_id
;
create function shop.email_expire_first();

-- reverse
drop function shop.email_expire_first, shop.email_expire;

alter table shop.email_message
  drop column quern_expires_at;
alter table shop.email_delayed
  drop column quern_expires_at;
alter table shop.email_dead
  drop column quern_expires_at;

-- step: settle_expiry
-- lock: none; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

-- Nothing to wait for in this direction.

-- reverse
-- Functions that were called before the last step may still run as they were: until their transactions have ended.
do $$
declare
  v_older constant text[] := array(
    select l.virtualtransaction
    from pg_catalog.pg_locks as l
    join pg_catalog.pg_stat_activity as a on a.pid = l.pid
    where l.locktype = 'virtualxid'
      and l.pid <> pg_catalog.pg_backend_pid()
      and a.datname = pg_catalog.current_database()
      and a.backend_type is distinct from 'autovacuum worker'
  );
begin
  while exists (
    select
    from pg_catalog.pg_locks as l
    where l.locktype = 'virtualxid'
      and l.virtualtransaction = any (v_older)
  ) loop
    -- Between two looks no snapshot is held.
    commit;
    perform pg_catalog.pg_sleep(0.01);
  end loop;
end
$$;

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, quern_expires_at, order_id
;

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, quern_expires_at, order_id
;

create or replace function shop.email_redrive_all()
-- v1 and older, quern_expires_at, order_id
;
create or replace function shop.email_redrive();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- whose time is not over
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
-- ends interval '1 hour' after it is due
;

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id
;

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id
;

create or replace function shop.email_redrive_all()
-- v1 and older, order_id
;
create or replace function shop.email_redrive();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
;

-- step: begin_expiry
-- lock: access exclusive on shop.email_message, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  alter column quern_expires_at set default now() + interval '1 hour';

-- reverse
alter table shop.email_message
  alter column quern_expires_at drop default;
