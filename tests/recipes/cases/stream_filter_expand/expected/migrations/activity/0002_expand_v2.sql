-- quern migration: activity/0002_expand_v2
-- Changes stream activity: renames the field "customer_id" to "customer"; widens "customer" from int32 to int64; changes the constraints of "kind"; adds the field "source"; adds the field "note"; removes the field "detail"; changes the consumer "audit"; changes the consumer "texts".
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
  alter column customer_id drop not null,
  add column customer bigint,
  add column source text default 'web' not null,
  add column note text,
  add constraint activity_customer_id_required_v1 check (contract_version <> 1 or (customer_id is not null)) not valid,
  add constraint activity_kind_max_length_v2 check (contract_version <> 2 or (char_length(kind) <= 10)) not valid,
  add constraint activity_customer_required_v2 check (contract_version <> 2 or (customer is not null)) not valid;
alter table shop.activity_failed
  alter column customer_id drop not null,
  add column customer bigint,
  add column source text default 'web' not null,
  add column note text;

-- reverse
alter table shop.activity_event
  alter column customer_id set not null;
alter table shop.activity_failed
  alter column customer_id set not null;

alter table shop.activity_event
  drop column customer,
  drop column source,
  drop column note,
  drop constraint activity_customer_id_present;
alter table shop.activity_failed
  drop column customer,
  drop column source,
  drop column note;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.activity_event validate constraint activity_customer_id_required_v1;
alter table shop.activity_event validate constraint activity_kind_max_length_v2;
alter table shop.activity_event validate constraint activity_customer_required_v2;

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

alter table shop.activity_event validate constraint activity_customer_id_present;
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
  add constraint activity_contract_version_known check (contract_version = 1) not valid,
  drop constraint activity_customer_id_required_v1,
  drop constraint activity_kind_max_length_v2,
  drop constraint activity_customer_required_v2,
  add constraint activity_customer_id_present check (customer_id is not null) not valid;

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

create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'texts'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if (p_event.contract_version = 2 or (p_event.contract_version = 1 and (char_length(p_event.kind) <= 10) is not false)): p_event.kind = 'signup' and (case when p_event.contract_version = 1 then p_event.customer_id::bigint when p_event.contract_version = 2 then p_event.customer end) > 5 and p_event.source = 'web'
-- 'texts' if (p_event.contract_version = 2 or (p_event.contract_version = 1 and (char_length(p_event.kind) <= 10) is not false)): p_event.channel = 'sms' and p_event.note is null

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v2 -- customer_id -- kind -- channel -- detail -- customer -- source -- note

create or replace function shop.activity_restored(); -- customer_id -- kind -- channel -- detail -- customer -- source -- note

create or replace function shop.activity_publish_json(p_payload jsonb);
-- v1 if shop.quern_payload_problems(p_payload, '{"customer_id": "number", "kind": "string", "channel": "string", "detail": "any?"}') is null, (p_payload ->> 'customer_id')::integer, p_payload ->> 'kind', (p_payload ->> 'channel')::shop.channel, nullif(p_payload -> 'detail', 'null')
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where (e.contract_version = 1 or (e.contract_version = 2 and (e.customer between -2147483648 and 2147483647) is not false))
-- customer_id integer = case when e.contract_version = 1 then e.customer_id when e.contract_version = 2 then e.customer::integer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

create or replace function shop.activity_look_v1(p_consumer text);
-- events where (e.contract_version = 1 or (e.contract_version = 2 and (e.customer between -2147483648 and 2147483647) is not false))
-- customer_id integer = case when e.contract_version = 1 then e.customer_id when e.contract_version = 2 then e.customer::integer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where (e.contract_version = 1 or (e.contract_version = 2 and (e.customer between -2147483648 and 2147483647) is not false))
-- customer_id integer = case when e.contract_version = 1 then e.customer_id when e.contract_version = 2 then e.customer::integer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

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

create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'texts'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if p_event.contract_version = 1: p_event.kind = 'signup' and p_event.customer_id > 5
-- 'texts' if p_event.contract_version = 1: p_event.channel = 'sms'

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v1 -- customer_id -- kind -- channel -- detail

create or replace function shop.activity_restored(); -- customer_id -- kind -- channel -- detail

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v1
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- channel shop.channel = e.channel
-- detail jsonb = e.detail

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('activity', 2, 'ed757f33efcf7cbf9531e6de8470bd4c8f719899ff97e96154aa6d911f2a4bcd')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.activity_read_v2(p_after bigint);
-- events where (e.contract_version = 2 or (e.contract_version = 1 and (char_length(e.kind) <= 10) is not false))
-- customer bigint = case when e.contract_version = 1 then e.customer_id::bigint when e.contract_version = 2 then e.customer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- source text = e.source
-- note text = e.note

create function shop.activity_read_json_v2(p_after bigint);

create function shop.activity_look_v2(p_consumer text);
-- events where (e.contract_version = 2 or (e.contract_version = 1 and (char_length(e.kind) <= 10) is not false))
-- customer bigint = case when e.contract_version = 1 then e.customer_id::bigint when e.contract_version = 2 then e.customer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- source text = e.source
-- note text = e.note

create function shop.activity_receive_v2(p_consumer text);
create function shop.activity_receive_json_v2(p_consumer text);

create function shop.activity_claim_v2(p_consumer text);
-- failed events where (e.contract_version = 2 or (e.contract_version = 1 and (char_length(e.kind) <= 10) is not false))
-- customer bigint = case when e.contract_version = 1 then e.customer_id::bigint when e.contract_version = 2 then e.customer end
-- kind text = e.kind
-- channel shop.channel = e.channel
-- source text = e.source
-- note text = e.note

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
    where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.customer between -2147483648 and 2147483647) is not false)))
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.customer between -2147483648 and 2147483647) is not false)))
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
  p_customer bigint,
  p_kind text,
  p_channel shop.channel,
  p_source text default 'web',
  p_note text default null
); -- inserts contract_version, customer, kind, channel, source, note

create function shop.activity_publish_many_v2(
  p_customer bigint[],
  p_kind text[],
  p_channel shop.channel[],
  p_source text[] default null,
  p_note text[] default null
); -- inserts t.customer, t.kind, t.channel, coalesce(t.source, 'web'), t.note

create function shop.activity_publish_json_v2(p_payload jsonb); -- '{"customer": "number", "kind": "string", "channel": "string", "source": "string?", "note": "string?"}'
-- p_customer => (p_payload ->> 'customer')::bigint
-- p_kind => p_payload ->> 'kind'
-- p_channel => (p_payload ->> 'channel')::shop.channel
-- p_source => coalesce(p_payload ->> 'source', 'web')
-- p_note => p_payload ->> 'note'

revoke all on function
  shop.activity_wake_v2, shop.activity_publish_v2, shop.activity_publish_many_v2, shop.activity_publish_json_v2
from public;
grant execute on function
  shop.activity_wake_v2, shop.activity_publish_v2, shop.activity_publish_many_v2, shop.activity_publish_json_v2
to web;
grant insert (contract_version, customer, kind, channel, source, note) on shop.activity_event to web;
grant select on sequence shop.activity_v2_produced_at to ops;

-- reverse
revoke insert (customer, source, note) on shop.activity_event from web;
drop function shop.activity_publish_json_v2, shop.activity_publish_many_v2, shop.activity_publish_v2, shop.activity_wake_v2;
