-- quern migration: activity/0002_expand_v2
-- Changes stream activity: renames the field "shop" to "store"; adds the field "account"; changes the consumer "crew"; changes the consumer "renamed".
-- roles: mailer, ops, web

-- step: hints_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.activity_v2_read_at as bigint minvalue 0;
create sequence shop.activity_v2_produced_at as bigint minvalue 0;
comment on sequence shop.activity_v2_read_at is 'When a consumer last used contract v2, in seconds since 1970, to the minute.';
comment on sequence shop.activity_v2_produced_at is 'When a producer last used contract v2, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.activity_v2_read_at, shop.activity_v2_produced_at;

-- step: columns
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  add column account uuid;
alter table shop.activity_failed
  add column account uuid;

-- reverse
alter table shop.activity_event
  drop column account;
alter table shop.activity_failed
  drop column account;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

-- There is no new constraint to look at.

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s in contract v2', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

alter table shop.activity_event validate constraint activity_contract_version_known;

-- step: allow_v2
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version in (1, 2)) not valid;

-- reverse
alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version = 1) not valid;

-- step: validate_versions
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.activity_event validate constraint activity_contract_version_known;

-- reverse
-- The constraint goes with the step before.

-- step: settle
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
-- lock: share row exclusive on what failed, while its keys are written
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_ordered_by(p_consumer text); -- 'crew' 'account' -- 'renamed' 'shop'
create or replace function shop.activity_blocks(p_consumer text); -- 'crew',  -- 'renamed'
create or replace function shop.activity_key_of(p_consumer text);
-- 'crew': uuid_hash_extended(p_event.account, 0)
-- 'renamed': hashtextextended(p_event.shop, 0)
create or replace function shop.activity_key_of_failed(p_consumer text);
-- 'crew': uuid_hash_extended(p_failed.account, 0)
-- 'renamed': hashtextextended(p_failed.shop, 0)

create or replace function shop.activity_blocked(); -- account -- shop

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v2 -- customer_id -- shop -- kind -- account

create or replace function shop.activity_restored(); -- customer_id -- shop -- kind -- account

create or replace function shop.activity_publish_json(p_payload jsonb);
-- v1 if shop.quern_payload_problems(p_payload, '{"customer_id": "number", "shop": "string?", "kind": "string"}') is null, (p_payload ->> 'customer_id')::integer, p_payload ->> 'shop', p_payload ->> 'kind'
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

select shop.activity_reorder('crew');

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s in contract v2', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

create or replace function shop.activity_ordered_by(p_consumer text); -- 'crew' 'customer_id' -- 'renamed' 'shop'
create or replace function shop.activity_blocks(p_consumer text); -- 'crew',  -- 'renamed'
create or replace function shop.activity_key_of(p_consumer text);
-- 'crew': hashint4extended(p_event.customer_id, 0)
-- 'renamed': hashtextextended(p_event.shop, 0)
create or replace function shop.activity_key_of_failed(p_consumer text);
-- 'crew': hashint4extended(p_failed.customer_id, 0)
-- 'renamed': hashtextextended(p_failed.shop, 0)

create or replace function shop.activity_blocked(); -- customer_id -- shop

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v1 -- customer_id -- shop -- kind

create or replace function shop.activity_restored(); -- customer_id -- shop -- kind

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v1
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- shop text = e.shop
-- kind text = e.kind

select shop.activity_reorder('crew');

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('activity', 2, 'a2ccfb925a2bc3333c3a24f8a6950b7a33b7ea2dea5ccffdc2b8aa7d8e7d3b74')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.activity_read_v2(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- store text = e.shop
-- kind text = e.kind
-- account uuid = e.account

create function shop.activity_read_json_v2(p_after bigint);

create function shop.activity_look_v2(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- store text = e.shop
-- kind text = e.kind
-- account uuid = e.account

create function shop.activity_receive_v2(p_consumer text);
create function shop.activity_receive_json_v2(p_consumer text);

create function shop.activity_claim_v2(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- store text = e.shop
-- kind text = e.kind
-- account uuid = e.account

create function shop.activity_claim_json_v2(p_consumer text);

create function shop.activity_next_due_v2(p_consumer text);

revoke all on function
  shop.activity_read_v2, shop.activity_read_json_v2, shop.activity_receive_v2, shop.activity_receive_json_v2,
  shop.activity_claim_v2, shop.activity_claim_json_v2, shop.activity_next_due_v2, shop.activity_look_v2
from public;
grant execute on function
  shop.activity_read_v2, shop.activity_read_json_v2, shop.activity_receive_v2, shop.activity_receive_json_v2,
  shop.activity_claim_v2, shop.activity_claim_json_v2, shop.activity_next_due_v2
to mailer;
grant select on sequence shop.activity_v2_read_at to ops;

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2 and not (m.contract_version in (1, 2))
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2 and not (m.contract_version in (1, 2))
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s in contract v2 that no older contract can read', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop function
  shop.activity_claim_json_v2, shop.activity_claim_v2, shop.activity_next_due_v2, shop.activity_receive_json_v2, shop.activity_receive_v2, shop.activity_look_v2, shop.activity_read_json_v2, shop.activity_read_v2;

delete from shop.quern_contract
where queue = 'activity'
  and version = 2;

-- step: producers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.activity_wake_v2();

create function shop.activity_publish_v2(
  p_customer_id integer,
  p_kind text,
  p_store text default null,
  p_account uuid default null
); -- inserts contract_version, customer_id, shop, kind, account

create function shop.activity_publish_many_v2(
  p_customer_id integer[],
  p_kind text[],
  p_store text[] default null,
  p_account uuid[] default null
); -- inserts t.customer_id, t.store, t.kind, t.account

create function shop.activity_publish_json_v2(p_payload jsonb); -- '{"customer_id": "number", "store": "string?", "kind": "string", "account": "string?"}'
-- p_customer_id => (p_payload ->> 'customer_id')::integer
-- p_store => p_payload ->> 'store'
-- p_kind => p_payload ->> 'kind'
-- p_account => (p_payload ->> 'account')::uuid

revoke all on function
  shop.activity_wake_v2, shop.activity_publish_v2, shop.activity_publish_many_v2, shop.activity_publish_json_v2
from public;
grant execute on function
  shop.activity_wake_v2, shop.activity_publish_v2, shop.activity_publish_many_v2, shop.activity_publish_json_v2
to web;
grant insert (contract_version, customer_id, shop, kind, account) on shop.activity_event to web;
grant select on sequence shop.activity_v2_produced_at to ops;

-- reverse
revoke insert (account) on shop.activity_event from web;
drop function shop.activity_publish_json_v2, shop.activity_publish_many_v2, shop.activity_publish_v2, shop.activity_wake_v2;
