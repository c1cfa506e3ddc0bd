-- quern migration: core/0002_change
-- Changes what all queues share: drops the queue "email".

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
  if pg_catalog.to_regclass('shop.email_v1_produced_at') is null then
    return;
  end if;
  select greatest(
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.email_v1_produced_at')),
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.email_v1_swept_at') / 1000.0),
    (select max(c.last_seen_at) from shop.quern_client as c where c.queue = 'email' and c.version = 1)
  )
  into v_used_at;
  if v_used_at > pg_catalog.clock_timestamp() - interval '24 hours' then
    select pg_catalog.string_agg(pg_catalog.format('%s (role %s) at %s', c.client, c.role_name, c.last_seen_at), ', ' order by c.last_seen_at desc)
    into v_client
    from shop.quern_client as c
    where c.queue = 'email'
      and c.version = 1;
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('contract v1 of queue "email" was used at %s, which is less than 1d ago', v_used_at),
      detail = pg_catalog.format('It was spoken by: %s.', coalesce(v_client, 'callers that did not shake hands')),
      hint = 'Wait until its programs are gone; `sunset` of the queue says for how long nobody may have used it.';
  end if;
end
$$;

do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  -- On a new install, what this is about comes later.
  if pg_catalog.to_regclass('shop.email_delayed') is null then
    return;
  end if;
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where true
    union all
    select m.message_id from shop.email_delayed as m where true
    union all
    select m.message_id from shop.email_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them and purge its dead letters, or declare that they are to be discarded: messages = "discard".';
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

-- reverse
create or replace function shop.queue_enqueue()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;

create or replace function shop.queue_dequeue()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;

create or replace function shop.queue_ack()
-- 'webhooks': shop.webhooks
-- 'email': shop.email
;
