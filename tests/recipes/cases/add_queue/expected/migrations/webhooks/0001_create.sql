-- quern migration: webhooks/0001_create
-- Creates queue webhooks: its tables, its functions for contract v1 and the rights on them.

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'webhooks', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.webhooks_message_id as bigint;

do $$
begin
  perform setval('shop.webhooks_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'webhooks';
end
$$;

-- A message that is ready or claimed. A claim changes lease_until and attempt, which no index holds, so that it is a
-- heap-only update: half of each page stays free for it. (message_id, attempt) is the fencing pair of an attempt, and
-- lease_until is -infinity while there is none. Whoever draws an id has a transaction id already: the low-water mark
-- depends on that order.
create table shop.webhooks_message (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.webhooks_message_id') end,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  payload jsonb not null,
  constraint webhooks_message_key primary key (message_id),
  constraint webhooks_contract_version_known check (contract_version = 1)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.webhooks_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.webhooks_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  payload jsonb not null,
  constraint webhooks_delayed_key primary key (message_id),
  constraint webhooks_contract_version_known check (contract_version = 1)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index webhooks_delayed_due on shop.webhooks_delayed (due_at, message_id);
comment on table shop.webhooks_delayed is 'Messages of queue webhooks that are delayed or were tried before.';

create table shop.webhooks_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  payload jsonb not null,
  constraint webhooks_dead_key primary key (message_id)
);
comment on table shop.webhooks_dead is 'Messages of queue webhooks whose last attempt failed.';

-- Where a scan of webhooks_message may begin, so that it need not pass over rows that are dead or claimed. Sequences,
-- because these are not transactional and cannot bloat. A wrong hint costs time, never a message: see the pick
-- functions, each of which has a frontier of its own.
create sequence shop.webhooks_low_water as bigint minvalue 0;
create sequence shop.webhooks_mark as bigint minvalue 0;
create sequence shop.webhooks_mark_xid as bigint minvalue 0;
comment on sequence shop.webhooks_low_water is 'No message below this id is ready or claimed.';
comment on sequence shop.webhooks_mark is 'The last message id drawn when the candidate for the low-water mark was taken.';
comment on sequence shop.webhooks_mark_xid is 'Every transaction that may hold an id up to the mark is older than this one.';

-- The queue's ids begin there.
do $$
begin
  perform
    setval('shop.webhooks_low_water', q.number * 10000000000000),
    setval('shop.webhooks_mark', q.number * 10000000000000)
  from shop.quern_queue as q
  where q.queue = 'webhooks';
end
$$;

create function shop.webhooks_wake();

create function shop.webhooks_free_dead(); -- 1 1

create function shop.webhooks_advance_low_water();

create function shop.webhooks_bury()
-- v1 and older, after 8 attempts
-- kept, payload
;

create sequence shop.webhooks_v1_frontier as bigint minvalue 0;
create sequence shop.webhooks_v1_swept_at as bigint minvalue 0;
create sequence shop.webhooks_v1_produced_at as bigint minvalue 0;
comment on sequence shop.webhooks_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.webhooks_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.webhooks_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('webhooks', 1, 'd59cbc83200c79c421587f77b6de4eaeb3dc7d8c12fc619906cd8bc623c4398c')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.webhooks_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create function shop.webhooks_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- payload jsonb = m.payload or d.payload
;

create function shop.webhooks_claim_json_v1(); -- payload

create function shop.webhooks_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- payload jsonb = m.payload or d.payload
;

create function shop.webhooks_next_due_v1();

revoke all on function
  shop.webhooks_pick_v1, shop.webhooks_claim_v1, shop.webhooks_claim_json_v1, shop.webhooks_take_v1, shop.webhooks_next_due_v1
from public;

create function shop.webhooks_wake_v1();

create function shop.webhooks_enqueue_v1(
  p_payload jsonb,
  p_delay interval default null
)
-- payload = p_payload
;

create function shop.webhooks_enqueue_many_v1()
-- payload = t.payload
;

create function shop.webhooks_enqueue_json_v1()
-- '{"payload": "any"}'
-- p_payload = p_payload -> 'payload'
;

revoke all on function
  shop.webhooks_wake_v1, shop.webhooks_enqueue_v1, shop.webhooks_enqueue_many_v1, shop.webhooks_enqueue_json_v1
from public;

create function shop.webhooks_ack();

create function shop.webhooks_ack_many(); -- v1

create function shop.webhooks_retry_delay(); -- least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())

create function shop.webhooks_nack()
-- v1 and older, after 8 attempts dead, else delayed, payload
;

create function shop.webhooks_extend(); -- interval '30 seconds'

create function shop.webhooks_release(); -- v1

create function shop.webhooks_attempt();

create function shop.webhooks_cancel();
create function shop.webhooks_cancel_all();

create function shop.webhooks_peek(); -- dead

create function shop.webhooks_redrive_all()
-- v1 and older, payload
;
create function shop.webhooks_redrive();

create function shop.webhooks_purge();

create function shop.webhooks_stats(); -- dead

create function shop.webhooks_pause();

create function shop.webhooks_enqueue_json()
-- v1 else
;
create function shop.webhooks_claim_json(); -- v1

create view shop.webhooks as select m.payload as payload where m.contract_version = 1;

revoke all on function
  shop.webhooks_wake, shop.webhooks_enqueue_json, shop.webhooks_claim_json,
  shop.webhooks_advance_low_water, shop.webhooks_free_dead, shop.webhooks_bury, shop.webhooks_retry_delay,
  shop.webhooks_ack, shop.webhooks_ack_many, shop.webhooks_nack, shop.webhooks_extend, shop.webhooks_release, shop.webhooks_attempt, shop.webhooks_cancel, shop.webhooks_cancel_all, shop.webhooks_peek,
  shop.webhooks_redrive, shop.webhooks_redrive_all, shop.webhooks_purge,
  shop.webhooks_stats, shop.webhooks_pause, shop.webhooks_resume, shop.webhooks_door
from public;

-- reverse
lock table shop.webhooks_message, shop.webhooks_delayed, shop.webhooks_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.webhooks_message as m where true
    union all
    select m.message_id from shop.webhooks_delayed as m where true
    union all
    select m.message_id from shop.webhooks_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "webhooks" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.webhooks;
drop function
  shop.webhooks_enqueue_json_v1, shop.webhooks_enqueue_many_v1, shop.webhooks_enqueue_v1, shop.webhooks_wake_v1,
  shop.webhooks_claim_json_v1, shop.webhooks_claim_v1, shop.webhooks_take_v1, shop.webhooks_pick_v1, shop.webhooks_next_due_v1,
  shop.webhooks_redrive, shop.webhooks_redrive_all, shop.webhooks_purge,
  shop.webhooks_wake, shop.webhooks_enqueue_json, shop.webhooks_claim_json, shop.webhooks_door,
  shop.webhooks_advance_low_water, shop.webhooks_free_dead, shop.webhooks_bury, shop.webhooks_retry_delay,
  shop.webhooks_ack, shop.webhooks_ack_many, shop.webhooks_nack, shop.webhooks_extend, shop.webhooks_release, shop.webhooks_attempt, shop.webhooks_cancel, shop.webhooks_cancel_all, shop.webhooks_peek,
  shop.webhooks_stats, shop.webhooks_pause, shop.webhooks_resume;
drop table shop.webhooks_message, shop.webhooks_delayed, shop.webhooks_dead;
drop sequence shop.webhooks_message_id, shop.webhooks_low_water, shop.webhooks_mark, shop.webhooks_mark_xid;
drop sequence shop.webhooks_v1_frontier, shop.webhooks_v1_swept_at, shop.webhooks_v1_produced_at;
delete from shop.quern_contract where queue = 'webhooks';
delete from shop.quern_client where queue = 'webhooks';
delete from shop.quern_queue where queue = 'webhooks';
