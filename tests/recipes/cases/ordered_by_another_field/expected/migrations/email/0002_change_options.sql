-- quern migration: email/0002_change_options
-- Changes queue email: changes ordered_by.

-- step: index_message_by_region
-- lock: share update exclusive on shop.email_message; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_message_by_region on shop.email_message (hashtextextended(region, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_message_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_message');

-- cleanup
drop index concurrently if exists shop.email_message_by_region;

-- reverse
drop index concurrently if exists shop.email_message_by_region;

-- step: index_delayed_by_region
-- lock: share update exclusive on shop.email_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_delayed_by_region on shop.email_delayed (hashtextextended(region, 0), (lease_until = '-infinity'), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_delayed_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_delayed');

-- cleanup
drop index concurrently if exists shop.email_delayed_by_region;

-- reverse
drop index concurrently if exists shop.email_delayed_by_region;

-- step: index_dead_by_region
-- lock: share update exclusive on shop.email_dead; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_dead_by_region on shop.email_dead (hashtextextended(region, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_dead_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_dead');

-- cleanup
drop index concurrently if exists shop.email_dead_by_region;

-- reverse
drop index concurrently if exists shop.email_dead_by_region;

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_head(p_key bigint)
-- of messages hashtextextended(m.region, 0), delayed hashtextextended(d.region, 0), unless blocked by hashtextextended(e.region, 0)
;

create or replace function shop.email_wake_next()
-- by hashtextextended(m.region, 0), hashtextextended(d.region, 0)
;

create or replace function shop.email_blocked()
-- region by hashtextextended(e.region, 0)
;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashtextextended(m.region, 0) nor hashtextextended(d.region, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashtextextended(m.region, 0), hashtextextended(d.region, 0), hashtextextended(e.region, 0); without region by email_pick_v1
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

-- reverse
create or replace function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.customer_id, 0), delayed hashint8extended(d.customer_id, 0), unless blocked by hashint8extended(e.customer_id, 0)
;

create or replace function shop.email_wake_next()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_blocked()
-- customer_id by hashint8extended(e.customer_id, 0)
;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
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

-- step: drop_index_message_by_customer_id
-- lock: share update exclusive on shop.email_message; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

drop index concurrently if exists shop.email_message_by_customer_id;

-- probe
select pg_catalog.to_regclass('shop.email_message_by_customer_id') is null;

-- reverse
drop index concurrently if exists shop.email_message_by_customer_id;
create index concurrently email_message_by_customer_id on shop.email_message (hashint8extended(customer_id, 0), message_id);

-- step: drop_index_delayed_by_customer_id
-- lock: share update exclusive on shop.email_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

drop index concurrently if exists shop.email_delayed_by_customer_id;

-- probe
select pg_catalog.to_regclass('shop.email_delayed_by_customer_id') is null;

-- reverse
drop index concurrently if exists shop.email_delayed_by_customer_id;
create index concurrently email_delayed_by_customer_id on shop.email_delayed (hashint8extended(customer_id, 0), (lease_until = '-infinity'), message_id);

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
