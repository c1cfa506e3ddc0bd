-- quern migration: activity/0003_expand_v3
-- Changes stream news: adds the field "note".
-- roles: mailer, ops, web

-- step: hints_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.activity_v3_read_at as bigint minvalue 0;
create sequence shop.activity_v3_produced_at as bigint minvalue 0;
comment on sequence shop.activity_v3_read_at is 'When a consumer last used contract v3, in seconds since 1970, to the minute.';
comment on sequence shop.activity_v3_produced_at is 'When a producer last used contract v3, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.activity_v3_read_at, shop.activity_v3_produced_at;

-- step: columns
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  add column note text;
alter table shop.activity_failed
  add column note text;

-- reverse
alter table shop.activity_event
  drop column note;
alter table shop.activity_failed
  drop column note;

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
    where m.contract_version = 3
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 3
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v3', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

alter table shop.activity_event validate constraint activity_contract_version_known;

-- step: allow_v3
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version in (1, 2, 3)) not valid;

-- reverse
alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version in (1, 2)) not valid;

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
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version in (1, 2, 3): p_event.customer_id > 0

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v3 -- customer_id -- kind -- note

create or replace function shop.activity_restored(); -- customer_id -- kind -- note

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v3
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.news_publish_json(p_payload jsonb);
-- v2 if shop.quern_payload_problems(p_payload, '{"customer_id": "number", "kind": "string"}') is null, (p_payload ->> 'customer_id')::integer, p_payload ->> 'kind'
-- else v3
create or replace function shop.news_read_json(p_after bigint); -- v2

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.news_read_v2(p_after bigint);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v2(p_consumer text);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.news_claim_v2(p_consumer text);
-- failed events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 3
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 3
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v3', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version in (1, 2): p_event.customer_id > 0

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v2 -- customer_id -- kind

create or replace function shop.activity_restored(); -- customer_id -- kind

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.news_publish_json(p_payload jsonb);
-- else v2
create or replace function shop.news_read_json(p_after bigint); -- v2

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.news_read_v2(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v2(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.news_claim_v2(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

-- step: consumers_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('news', 3, '223291032f9e8b6646cfcdf6b667e6d065557cddd63fa04a9ee727e78507a2eb')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.news_read_v3(p_after bigint);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

create function shop.news_read_json_v3(p_after bigint);

create function shop.activity_look_v3(p_consumer text);
-- events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

create function shop.news_receive_v3(p_consumer text);
create function shop.news_receive_json_v3(p_consumer text);

create function shop.news_claim_v3(p_consumer text);
-- failed events where e.contract_version in (1, 2, 3)
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

create function shop.news_claim_json_v3(p_consumer text);

create function shop.news_next_due_v3(p_consumer text);

revoke all on function
  shop.news_read_v3, shop.news_read_json_v3, shop.news_receive_v3, shop.news_receive_json_v3,
  shop.news_claim_v3, shop.news_claim_json_v3, shop.news_next_due_v3, shop.activity_look_v3
from public;
grant execute on function
  shop.news_read_v3, shop.news_read_json_v3, shop.news_receive_v3, shop.news_receive_json_v3,
  shop.news_claim_v3, shop.news_claim_json_v3, shop.news_next_due_v3
to mailer;
grant select on sequence shop.activity_v3_read_at to ops;

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 3 and not (m.contract_version in (1, 2, 3) or m.contract_version in (1, 2, 3))
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 3 and not (m.contract_version in (1, 2, 3) or m.contract_version in (1, 2, 3))
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v3 that no older contract can read', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop function
  shop.news_claim_json_v3, shop.news_claim_v3, shop.news_next_due_v3, shop.news_receive_json_v3, shop.news_receive_v3, shop.activity_look_v3, shop.news_read_json_v3, shop.news_read_v3;

delete from shop.quern_contract
where queue = 'news'
  and version = 3;

-- step: producers_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.news_wake_v3();

create function shop.news_publish_v3(
  p_customer_id integer,
  p_kind text,
  p_note text default null
); -- inserts contract_version, customer_id, kind, note

create function shop.news_publish_many_v3(
  p_customer_id integer[],
  p_kind text[],
  p_note text[] default null
); -- inserts t.customer_id, t.kind, t.note

create function shop.news_publish_json_v3(p_payload jsonb); -- '{"customer_id": "number", "kind": "string", "note": "string?"}'
-- p_customer_id => (p_payload ->> 'customer_id')::integer
-- p_kind => p_payload ->> 'kind'
-- p_note => p_payload ->> 'note'

revoke all on function
  shop.news_wake_v3, shop.news_publish_v3, shop.news_publish_many_v3, shop.news_publish_json_v3
from public;
grant execute on function
  shop.news_wake_v3, shop.news_publish_v3, shop.news_publish_many_v3, shop.news_publish_json_v3
to web;
grant insert (contract_version, customer_id, kind, note) on shop.activity_event to web;
grant select on sequence shop.activity_v3_produced_at to ops;

-- reverse
revoke insert (note) on shop.activity_event from web;
drop function shop.news_publish_json_v3, shop.news_publish_many_v3, shop.news_publish_v3, shop.news_wake_v3;
