-- quern migration: activity/0003_retire_v1
-- Retires contract v1 of stream activity: refused while a client used it lately or its events remain.

-- step: stop
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

do $$
declare
  v_used_at timestamptz;
  v_client text;
begin
  select greatest(
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v1_produced_at')),
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v1_read_at')),
    (select max(c.last_seen_at) from shop.quern_client as c where c.queue = 'activity' and c.version = 1)
  )
  into v_used_at;
  if v_used_at > pg_catalog.clock_timestamp() - interval '24 hours' then
    select pg_catalog.string_agg(pg_catalog.format('%s (role %s) at %s', c.client, c.role_name, c.last_seen_at), ', ' order by c.last_seen_at desc)
    into v_client
    from shop.quern_client as c
    where c.queue = 'activity'
      and c.version = 1;
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('contract v1 of stream "activity" was used at %s, which is less than 1d ago', v_used_at),
      detail = pg_catalog.format('It was spoken by: %s.', coalesce(v_client, 'callers that did not shake hands')),
      hint = 'Wait until its programs are gone; `sunset` of the stream says for how long nobody may have used it.';
  end if;
end
$$;

do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 1
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 1
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s in contract v1', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Try again when they are older than the retention.';
  end if;
end
$$;

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v2

update shop.quern_contract
set retired_at = pg_catalog.clock_timestamp()
where queue = 'activity'
  and version = 1;

drop function shop.activity_publish_json_v1, shop.activity_publish_many_v1, shop.activity_publish_v1, shop.activity_wake_v1, shop.activity_receive_json_v1, shop.activity_receive_v1, shop.activity_read_json_v1, shop.activity_read_v1, shop.activity_claim_json_v1, shop.activity_claim_v1, shop.activity_next_due_v1, shop.activity_look_v1;

-- step: refuse_v1
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version = 2) not valid;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 1
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 1
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s in contract v1', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Try again when they are older than the retention.';
  end if;
end
$$;

alter table shop.activity_event validate constraint activity_contract_version_known;

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version = 2: p_event.customer_id > 0

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v2

create or replace function shop.activity_read_v2(p_after bigint);
-- events where e.contract_version = 2
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

create or replace function shop.activity_look_v2(p_consumer text);
-- events where e.contract_version = 2
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

create or replace function shop.activity_claim_v2(p_consumer text);
-- failed events where e.contract_version = 2
-- customer_id integer = e.customer_id
-- kind text = e.kind
-- note text = e.note

-- step: settle
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

-- step: drop
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop sequence shop.activity_v1_read_at, shop.activity_v1_produced_at;
