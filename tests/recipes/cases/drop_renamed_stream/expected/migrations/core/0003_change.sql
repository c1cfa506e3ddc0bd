-- quern migration: core/0003_change
-- Changes what all queues share: drops the stream "news".

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

do $$
declare
  v_used_at timestamptz;
  v_client text;
begin
  -- On a new install, what this is about comes later.
  if pg_catalog.to_regclass('shop.activity_v1_produced_at') is null then
    return;
  end if;
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
  v_used_at timestamptz;
  v_client text;
begin
  -- On a new install, what this is about comes later.
  if pg_catalog.to_regclass('shop.activity_v2_produced_at') is null then
    return;
  end if;
  select greatest(
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v2_produced_at')),
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v2_read_at')),
    (select max(c.last_seen_at) from shop.quern_client as c where c.queue = 'news' and c.version = 2)
  )
  into v_used_at;
  if v_used_at > pg_catalog.clock_timestamp() - interval '24 hours' then
    select pg_catalog.string_agg(pg_catalog.format('%s (role %s) at %s', c.client, c.role_name, c.last_seen_at), ', ' order by c.last_seen_at desc)
    into v_client
    from shop.quern_client as c
    where c.queue = 'news'
      and c.version = 2;
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('contract v2 of stream "news" was used at %s, which is less than 1d ago', v_used_at),
      detail = pg_catalog.format('It was spoken by: %s.', coalesce(v_client, 'callers that did not shake hands')),
      hint = 'Wait until its programs are gone; `sunset` of the stream says for how long nobody may have used it.';
  end if;
end
$$;

do $$
declare
  v_count bigint;
begin
  -- On a new install, what this is about comes later.
  if pg_catalog.to_regclass('shop.activity_event') is null then
    return;
  end if;
  select (
    select count(*)
    from shop.activity_event as m
    where true
  ) + (
    select count(*)
    from shop.activity_failed as m
    where true
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'They go when they are older than its retention; or declare that they are to be discarded: events = "discard".';
  end if;
end
$$;

create or replace function shop.queue_enqueue()
-- 'other': shop.other
;

create or replace function shop.queue_dequeue()
-- 'other': shop.other
;

create or replace function shop.queue_ack()
-- 'other': shop.other
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
;

create or replace function shop.stream_consume()
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'other': shop.other
;

create or replace function shop.queue_dequeue()
-- 'other': shop.other
;

create or replace function shop.queue_ack()
-- 'other': shop.other
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'news': shop.news, if it is there
-- 'activity': shop.activity, if it is there
;

create or replace function shop.stream_consume()
-- 'news': shop.news, if it is there
-- 'activity': shop.activity, if it is there
;
