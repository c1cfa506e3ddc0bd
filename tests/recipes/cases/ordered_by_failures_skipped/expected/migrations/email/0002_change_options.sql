-- quern migration: email/0002_change_options
-- Changes queue email: changes on_failure.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, customer_id, subject
;

create or replace function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.customer_id, 0), delayed hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, customer_id, subject
-- blocking
;

create or replace function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.customer_id, 0), delayed hashint8extended(d.customer_id, 0), unless blocked by hashint8extended(e.customer_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
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
-- customer_id by hashint8extended(e.customer_id, 0)
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

-- step: drop_blocking
-- lock: access exclusive on the dead letters, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_dead
  drop column is_blocking;

-- reverse
alter table shop.email_dead
  add column is_blocking boolean not null default false;
comment on column shop.email_dead.is_blocking is 'Whether later messages of the same key wait until this one is redriven or purged.';

-- step: settle_before_indexes
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

-- step: drop_index_dead_by_customer_id
-- lock: share update exclusive on shop.email_dead; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

drop index concurrently if exists shop.email_dead_by_customer_id;

-- probe
select pg_catalog.to_regclass('shop.email_dead_by_customer_id') is null;

-- reverse
drop index concurrently if exists shop.email_dead_by_customer_id;
create index concurrently email_dead_by_customer_id on shop.email_dead (hashint8extended(customer_id, 0), message_id);
