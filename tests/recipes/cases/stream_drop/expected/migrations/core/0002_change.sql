-- quern migration: core/0002_change
-- Changes what all queues share: drops the stream "activity".

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

create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'raw': shop.raw
;

create or replace function shop.stream_consume()
-- 'raw': shop.raw
;

-- reverse
create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
;

create or replace function shop.quern_is_own_transaction();

create or replace function shop.stream_publish()
-- 'raw': shop.raw
-- 'activity': shop.activity
;

create or replace function shop.stream_consume()
-- 'raw': shop.raw
-- 'activity': shop.activity
;
