-- quern migration: email/0003_create
-- Creates queue email: its tables, its functions for contract v2 and the rights on them.

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'email', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.email_message_id as bigint;

do $$
begin
  perform setval('shop.email_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'email';
end
$$;

-- A message that is ready or claimed. A claim changes lease_until and attempt, which no index holds, so that it is a
-- heap-only update: half of each page stays free for it. (message_id, attempt) is the fencing pair of an attempt, and
-- lease_until is -infinity while there is none. Whoever draws an id has a transaction id already: the low-water mark
-- depends on that order.
create table shop.email_message (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.email_message_id') end,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  order_id bigint not null,
  note text,
  constraint email_message_key primary key (message_id),
  constraint email_contract_version_known check (contract_version = 2)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.email_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.email_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  note text,
  constraint email_delayed_key primary key (message_id),
  constraint email_contract_version_known check (contract_version = 2)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index email_delayed_due on shop.email_delayed (due_at, message_id);
comment on table shop.email_delayed is 'Messages of queue email that are delayed or were tried before.';

create table shop.email_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  note text,
  constraint email_dead_key primary key (message_id)
);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';

-- Where a scan of email_message may begin, so that it need not pass over rows that are dead or claimed. Sequences,
-- because these are not transactional and cannot bloat. A wrong hint costs time, never a message: see the pick
-- functions, each of which has a frontier of its own.
create sequence shop.email_low_water as bigint minvalue 0;
create sequence shop.email_mark as bigint minvalue 0;
create sequence shop.email_mark_xid as bigint minvalue 0;
comment on sequence shop.email_low_water is 'No message below this id is ready or claimed.';
comment on sequence shop.email_mark is 'The last message id drawn when the candidate for the low-water mark was taken.';
comment on sequence shop.email_mark_xid is 'Every transaction that may hold an id up to the mark is older than this one.';

-- The queue's ids begin there.
do $$
begin
  perform
    setval('shop.email_low_water', q.number * 10000000000000),
    setval('shop.email_mark', q.number * 10000000000000)
  from shop.quern_queue as q
  where q.queue = 'email';
end
$$;

create function shop.email_wake();

create function shop.email_free_dead(); -- 2 2

create function shop.email_advance_low_water();

create function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, order_id, note
;

create sequence shop.email_v2_frontier as bigint minvalue 0;
create sequence shop.email_v2_swept_at as bigint minvalue 0;
create sequence shop.email_v2_produced_at as bigint minvalue 0;
comment on sequence shop.email_v2_frontier is 'The next message id to hand out to consumers of contract v2.';
comment on sequence shop.email_v2_swept_at is 'When a claim of contract v2 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.email_v2_produced_at is 'When a producer last used contract v2, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, '7350624244c65991780c025e3ff993e89585abd2333d6e25b96032c820aac6a7')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version = 2
-- delayed where d.contract_version = 2
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 2
-- delayed where d.contract_version = 2
-- note text = m.note or d.note
-- order_id bigint = m.order_id or d.order_id
;

create function shop.email_claim_json_v2(); -- note -- order_id

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version = 2
-- delayed where d.contract_version = 2
-- note text = m.note or d.note
-- order_id bigint = m.order_id or d.order_id
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
from public;

create function shop.email_wake_v2();

create function shop.email_enqueue_v2(
  p_order_id bigint,
  p_note text default null,
  p_delay interval default null
)
-- note = p_note
-- order_id = p_order_id
;

create function shop.email_enqueue_many_v2()
-- note = t.note
-- order_id = t.order_id
;

create function shop.email_enqueue_json_v2()
-- '{"note": "string?", "order_id": "number"}'
-- p_note = p_payload ->> 'note'
-- p_order_id = (p_payload ->> 'order_id')::bigint
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

create function shop.email_ack();

create function shop.email_ack_many(); -- v2

create function shop.email_retry_delay(); -- least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())

create function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, note
;

create function shop.email_extend(); -- interval '30 seconds'

create function shop.email_release(); -- v2

create function shop.email_attempt();

create function shop.email_cancel();
create function shop.email_cancel_all();

create function shop.email_peek(); -- dead

create function shop.email_redrive_all()
-- v2 and older, order_id, note
;
create function shop.email_redrive();

create function shop.email_purge();

create function shop.email_stats(); -- dead

create function shop.email_pause();

create function shop.email_enqueue_json()
-- v2 else
;
create function shop.email_claim_json(); -- v2

create view shop.email as select m.note as note, m.order_id as order_id where m.contract_version = 2;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;

-- reverse
lock table shop.email_message, shop.email_delayed, shop.email_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where true
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
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.email;
drop function
  shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2,
  shop.email_claim_json_v2, shop.email_claim_v2, shop.email_take_v2, shop.email_pick_v2, shop.email_next_due_v2,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json, shop.email_door,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_stats, shop.email_pause, shop.email_resume;
drop table shop.email_message, shop.email_delayed, shop.email_dead;
drop sequence shop.email_message_id, shop.email_low_water, shop.email_mark, shop.email_mark_xid;
drop sequence shop.email_v2_frontier, shop.email_v2_swept_at, shop.email_v2_produced_at;
delete from shop.quern_contract where queue = 'email';
delete from shop.quern_client where queue = 'email';
delete from shop.quern_queue where queue = 'email';
