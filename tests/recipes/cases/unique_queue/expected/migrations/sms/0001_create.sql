-- quern migration: sms/0001_create
-- Creates queue sms: its tables, its functions for contract v1 and the rights on them.

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'sms', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.sms_message_id as bigint;

do $$
begin
  perform setval('shop.sms_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'sms';
end
$$;

-- A message that is ready or claimed. A claim changes lease_until and attempt, which no index holds, so that it is a
-- heap-only update: half of each page stays free for it. (message_id, attempt) is the fencing pair of an attempt, and
-- lease_until is -infinity while there is none. Whoever draws an id has a transaction id already: the low-water mark
-- depends on that order.
create table shop.sms_message (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.sms_message_id') end,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  order_id integer not null,
  constraint sms_message_key primary key (message_id),
  constraint sms_contract_version_known check (contract_version = 1)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.sms_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.sms_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  order_id integer not null,
  constraint sms_delayed_key primary key (message_id),
  constraint sms_contract_version_known check (contract_version = 1)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index sms_delayed_due on shop.sms_delayed (due_at, message_id);
comment on table shop.sms_delayed is 'Messages of queue sms that are delayed or were tried before.';

create table shop.sms_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  order_id integer not null,
  constraint sms_dead_key primary key (message_id)
);
comment on table shop.sms_dead is 'Messages of queue sms whose last attempt failed.';

-- What makes messages the same, and which message has it. A claim never looks at it.
create table shop.sms_unique_v1 (
  order_id bigint not null,
  message_id bigint not null,
  lease_until timestamptz not null,
  constraint sms_unique_v1_key primary key (order_id)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index sms_unique_v1_ended on shop.sms_unique_v1 (lease_until);
comment on table shop.sms_unique_v1 is 'The last message of queue sms with these values, and until when there is no other.';

-- Where a scan of sms_message may begin, so that it need not pass over rows that are dead or claimed. Sequences,
-- because these are not transactional and cannot bloat. A wrong hint costs time, never a message: see the pick
-- functions, each of which has a frontier of its own.
create sequence shop.sms_low_water as bigint minvalue 0;
create sequence shop.sms_mark as bigint minvalue 0;
create sequence shop.sms_mark_xid as bigint minvalue 0;
comment on sequence shop.sms_low_water is 'No message below this id is ready or claimed.';
comment on sequence shop.sms_mark is 'The last message id drawn when the candidate for the low-water mark was taken.';
comment on sequence shop.sms_mark_xid is 'Every transaction that may hold an id up to the mark is older than this one.';

-- The queue's ids begin there.
do $$
begin
  perform
    setval('shop.sms_low_water', q.number * 10000000000000),
    setval('shop.sms_mark', q.number * 10000000000000)
  from shop.quern_queue as q
  where q.queue = 'sms';
end
$$;

create function shop.sms_wake();

create function shop.sms_free_dead(); -- 1 1

create function shop.sms_advance_low_water();

create function shop.sms_bury()
-- v1 and older, after 8 attempts
-- kept, order_id
;

create sequence shop.sms_v1_frontier as bigint minvalue 0;
create sequence shop.sms_v1_swept_at as bigint minvalue 0;
create sequence shop.sms_v1_produced_at as bigint minvalue 0;
comment on sequence shop.sms_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.sms_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.sms_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('sms', 1, 'c57cd9e1a6ef61f8ada1ae9a6094eed9beec45869a436c65cf891f3ca7c6b68f')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.sms_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create function shop.sms_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id integer = m.order_id or d.order_id
;

create function shop.sms_claim_json_v1(); -- order_id

create function shop.sms_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id integer = m.order_id or d.order_id
;

create function shop.sms_next_due_v1();

revoke all on function
  shop.sms_pick_v1, shop.sms_claim_v1, shop.sms_claim_json_v1, shop.sms_take_v1, shop.sms_next_due_v1
from public;

create function shop.sms_wake_v1();

create function shop.sms_enqueue_v1(
  p_order_id integer,
  p_delay interval default null
) returns message_id, is_duplicate
-- may be left out
-- order_id = p_order_id
;

create function shop.sms_enqueue_many_v1() returns message_id, is_duplicate
-- in the order of order_id, the arrays
-- order_id = t.order_id
;

create function shop.sms_enqueue_json_v1()
-- '{"order_id": "number"}'
-- p_order_id = (p_payload ->> 'order_id')::integer
;

revoke all on function
  shop.sms_wake_v1, shop.sms_enqueue_v1, shop.sms_enqueue_many_v1, shop.sms_enqueue_json_v1
from public;

create function shop.sms_ack();

create function shop.sms_ack_many(); -- v1

create function shop.sms_retry_delay(); -- least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())

create function shop.sms_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id
;

create function shop.sms_extend(); -- interval '30 seconds'

create function shop.sms_release(); -- v1

create function shop.sms_attempt();

create function shop.sms_cancel();
create function shop.sms_cancel_all();

create function shop.sms_peek(); -- dead

create function shop.sms_redrive_all()
-- v1 and older, order_id
;
create function shop.sms_redrive();

create function shop.sms_purge();

create function shop.sms_stats(); -- dead

create function shop.sms_pause();

create function shop.sms_enqueue_json()
-- v1 else
;
create function shop.sms_claim_json(); -- v1

create view shop.sms as select m.order_id as order_id where m.contract_version = 1;

create function shop.sms_hold_key()
-- for interval '1 hour'
-- order_id bigint = new.order_id::bigint
;

-- A message that was tried before has, or had, its key: it only moves. So does one that is inserted with the session 0,
-- which is nobody's.
create trigger sms_hold_key
before insert on shop.sms_message
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.sms_hold_key();
create trigger sms_hold_key
before insert on shop.sms_delayed
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.sms_hold_key();

revoke all on function
  shop.sms_wake, shop.sms_enqueue_json, shop.sms_claim_json,
  shop.sms_advance_low_water, shop.sms_free_dead, shop.sms_bury, shop.sms_retry_delay,
  shop.sms_ack, shop.sms_ack_many, shop.sms_nack, shop.sms_extend, shop.sms_release, shop.sms_attempt, shop.sms_cancel, shop.sms_cancel_all, shop.sms_peek,
  shop.sms_redrive, shop.sms_redrive_all, shop.sms_purge,
  shop.sms_stats, shop.sms_pause, shop.sms_resume, shop.sms_door
from public;

-- reverse
lock table shop.sms_message, shop.sms_delayed, shop.sms_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.sms_message as m where true
    union all
    select m.message_id from shop.sms_delayed as m where true
    union all
    select m.message_id from shop.sms_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "sms" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.sms;
drop function
  shop.sms_enqueue_json_v1, shop.sms_enqueue_many_v1, shop.sms_enqueue_v1, shop.sms_wake_v1,
  shop.sms_claim_json_v1, shop.sms_claim_v1, shop.sms_take_v1, shop.sms_pick_v1, shop.sms_next_due_v1,
  shop.sms_redrive, shop.sms_redrive_all, shop.sms_purge,
  shop.sms_wake, shop.sms_enqueue_json, shop.sms_claim_json, shop.sms_door,
  shop.sms_advance_low_water, shop.sms_free_dead, shop.sms_bury, shop.sms_retry_delay,
  shop.sms_ack, shop.sms_ack_many, shop.sms_nack, shop.sms_extend, shop.sms_release, shop.sms_attempt, shop.sms_cancel, shop.sms_cancel_all, shop.sms_peek,
  shop.sms_stats, shop.sms_pause, shop.sms_resume;
drop table shop.sms_message, shop.sms_delayed, shop.sms_dead;
drop function shop.sms_hold_key();
drop table shop.sms_unique_v1;
drop sequence shop.sms_message_id, shop.sms_low_water, shop.sms_mark, shop.sms_mark_xid;
drop sequence shop.sms_v1_frontier, shop.sms_v1_swept_at, shop.sms_v1_produced_at;
delete from shop.quern_contract where queue = 'sms';
delete from shop.quern_client where queue = 'sms';
delete from shop.quern_queue where queue = 'sms';
