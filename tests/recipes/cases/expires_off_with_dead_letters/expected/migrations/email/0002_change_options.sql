-- quern migration: email/0002_change_options
-- Changes queue email: changes dead_letter; changes expires; changes on_failure.

-- step: stop_expiry
-- lock: access exclusive on shop.email_message, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  alter column quern_expires_at drop default;

-- reverse
alter table shop.email_message
  alter column quern_expires_at set default now() + interval '1 hour';

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
;

create or replace function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.order_id, 0), delayed hashint8extended(d.order_id, 0)
;

create or replace function shop.email_start()
-- v1 and older: from messages to delayed, order_id
;
create or replace function shop.email_park()
-- v1 and older: from delayed to messages, order_id
;

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dropped, else delayed, order_id
;

create or replace function shop.email_stats();

create or replace function shop.email_peek();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
;

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, quern_expires_at, order_id
-- blocking
;

create or replace function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.order_id, 0), delayed hashint8extended(d.order_id, 0), unless blocked by hashint8extended(e.order_id, 0)
;

create or replace function shop.email_start()
-- v1 and older: from messages to delayed, quern_expires_at, order_id
;
create or replace function shop.email_park()
-- v1 and older: from delayed to messages, quern_expires_at, order_id
;

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, quern_expires_at, order_id
;

create or replace function shop.email_stats(); -- dead

create or replace function shop.email_peek(); -- dead

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
-- whose time is not over
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0), hashint8extended(e.order_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
-- ends interval '1 hour' after it is due
;

-- step: settle_before_order
-- lock: none; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

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

-- reverse
-- Nothing to wait for in this direction.

-- step: drop_order
-- lock: access exclusive on what nobody uses any more
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop function shop.email_blocked;

-- reverse
create function shop.email_blocked()
-- order_id by hashint8extended(e.order_id, 0)
;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next,
  shop.email_blocked,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;

-- step: settle_before_expiry
-- lock: none; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

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

-- reverse
-- Nothing to wait for in this direction.

-- step: drop_expiry
-- lock: access exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop function shop.email_expire_first, shop.email_expire;

alter table shop.email_message
  drop column quern_expires_at;
alter table shop.email_delayed
  drop column quern_expires_at;

-- reverse
alter table shop.email_message
  add column quern_expires_at timestamptz;
alter table shop.email_delayed
  add column quern_expires_at timestamptz;

comment on column shop.email_message.quern_expires_at is 'When it ends unless it was handled.';

create function shop.email_expire(p_message_ids bigint[])
-- v1 and older, kept, quern_expires_at, order_id
;
create function shop.email_expire_first();

-- step: settle_before_drop
-- lock: none; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

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

-- reverse
-- Nothing to wait for in this direction.

-- step: drop_dead_letters
-- lock: access exclusive on the dead letters
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

do $$
begin
  if exists (select from shop.email_dead) then
    raise exception using
      errcode = 'QN008',
      message = 'queue "email" holds dead letters',
      hint = 'Redrive or purge them first.';
  end if;
end
$$;

drop function shop.email_redrive, shop.email_redrive_all, shop.email_purge;

drop table shop.email_dead;

-- reverse
create table shop.email_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  quern_expires_at timestamptz,
  order_id bigint not null,
  is_blocking boolean not null default false,
  constraint email_dead_key primary key (message_id)
);
create index email_dead_by_order_id on shop.email_dead (hashint8extended(order_id, 0), message_id);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';
comment on column shop.email_dead.is_blocking is 'Whether later messages of the same key wait until this one is redriven or purged.';

create function shop.email_redrive_all()
-- v1 and older, quern_expires_at, order_id
;
create function shop.email_redrive();

create function shop.email_purge();

revoke all on function shop.email_redrive, shop.email_redrive_all, shop.email_purge from public;
