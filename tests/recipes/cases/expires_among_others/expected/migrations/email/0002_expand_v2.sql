-- quern migration: email/0002_expand_v2
-- Changes queue email: adds the field "note"; makes messages unique by "order_id" while they are pending; changes dead_letter; changes expires; changes grants.consume; changes grants.operate; changes grants.produce; changes on_failure; changes ordered_by.
-- roles: mailer, ops, web

-- step: dead_letters
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create table shop.email_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  quern_expires_at timestamptz,
  order_id bigint not null,
  note text,
  is_blocking boolean not null default false,
  constraint email_dead_key primary key (message_id)
);
create index email_dead_by_order_id on shop.email_dead (hashint8extended(order_id, 0), message_id);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';
comment on column shop.email_dead.is_blocking is 'Whether later messages of the same key wait until this one is redriven or purged.';

create function shop.email_redrive_all()
-- v2 and older, quern_expires_at, order_id, note
;
create function shop.email_redrive();

create function shop.email_purge();

revoke all on function shop.email_redrive, shop.email_redrive_all, shop.email_purge from public;

-- reverse
do $$
begin
  if exists (select from shop.email_dead) then
    raise exception using
      errcode = 'QN008',
      message = 'queue "email" holds dead letters',
      hint = 'Redrive or purge them first.';
  end if;
end
$$;

drop function shop.email_redrive, shop.email_redrive_all, shop.email_purge;

drop table shop.email_dead;

-- step: expiry
-- lock: access exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column quern_expires_at timestamptz;
alter table shop.email_delayed
  add column quern_expires_at timestamptz;

comment on column shop.email_message.quern_expires_at is 'When it ends unless it was handled.';

create function shop.email_expire(p_message_ids bigint[])
-- v2 and older, kept, quern_expires_at, order_id, note
;
create function shop.email_expire_first();

-- reverse
drop function shop.email_expire_first, shop.email_expire;

alter table shop.email_message
  drop column quern_expires_at;
alter table shop.email_delayed
  drop column quern_expires_at;

-- step: settle_expiry
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

-- step: add_unique_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- What makes messages the same, and which message has it. A claim never looks at it.
create table shop.email_unique_v2 (
  order_id bigint not null,
  message_id bigint not null,
  constraint email_unique_v2_key primary key (order_id)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table shop.email_unique_v2 is 'The pending message of queue email with these values: there is no other.';

-- reverse
drop table shop.email_unique_v2;

-- step: hints_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.email_v2_frontier as bigint minvalue 0;
create sequence shop.email_v2_swept_at as bigint minvalue 0;
create sequence shop.email_v2_produced_at as bigint minvalue 0;
comment on sequence shop.email_v2_frontier is 'The next message id to hand out to consumers of contract v2.';
comment on sequence shop.email_v2_swept_at is 'When a claim of contract v2 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.email_v2_produced_at is 'When a producer last used contract v2, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.email_v2_frontier, shop.email_v2_swept_at, shop.email_v2_produced_at;

-- step: columns
-- lock: access exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column note text;
alter table shop.email_delayed
  add column note text;

-- reverse
alter table shop.email_message
  drop column note;
alter table shop.email_delayed
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
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 2
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_contract_version_known;

-- step: allow_v2
-- lock: access exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2)) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2)) not valid;

-- reverse
alter table shop.email_message
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid;

-- step: validate_versions
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_contract_version_known;

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

-- step: index_message_by_order_id
-- lock: share update exclusive on shop.email_message; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_message_by_order_id on shop.email_message (hashint8extended(order_id, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_message_by_order_id')
  and x.indrelid = pg_catalog.to_regclass('shop.email_message');

-- cleanup
drop index concurrently if exists shop.email_message_by_order_id;

-- reverse
drop index concurrently if exists shop.email_message_by_order_id;

-- step: index_delayed_by_order_id
-- lock: share update exclusive on shop.email_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_delayed_by_order_id on shop.email_delayed (hashint8extended(order_id, 0), (lease_until = '-infinity'), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_delayed_by_order_id')
  and x.indrelid = pg_catalog.to_regclass('shop.email_delayed');

-- cleanup
drop index concurrently if exists shop.email_delayed_by_order_id;

-- reverse
drop index concurrently if exists shop.email_delayed_by_order_id;

-- step: order
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- Claims go round all keys, so that none of them waits behind another's backlog: each begins where the one before it
-- stopped. A sequence as the other hints: wrong it costs a key its turn, never a message.
create sequence shop.email_turn as bigint minvalue -9223372036854775808;
comment on sequence shop.email_turn is 'The key, as its hash, up to which the last claim has looked.';

create function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.order_id, 0), delayed hashint8extended(d.order_id, 0), unless blocked by hashint8extended(e.order_id, 0)
;

create function shop.email_start()
-- v2 and older: from messages to delayed, quern_expires_at, order_id, note
;
create function shop.email_park()
-- v2 and older: from delayed to messages, quern_expires_at, order_id, note
;

create function shop.email_wake_next()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0)
;

create function shop.email_lock_heads_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create function shop.email_pick_heads_v1()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0), hashint8extended(e.order_id, 0)
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1,
  shop.email_lock_heads_v1, shop.email_pick_heads_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

create function shop.email_blocked()
-- order_id by hashint8extended(e.order_id, 0)
;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next,
  shop.email_blocked,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant insert on shop.email to web;
grant execute on function
  shop.email_claim_json,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_blocked,
  shop.email_cancel_all, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- reverse
drop function shop.email_blocked;

drop function
  shop.email_lock_heads_v1, shop.email_pick_heads_v1,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next;
drop sequence shop.email_turn;

-- step: settle_order
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

create or replace function shop.email_free_dead(); -- 1, 2 2 ordered

create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, quern_expires_at, order_id, note
-- blocking
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, quern_expires_at, order_id, note
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_stats(); -- dead

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number"}') is null, (p_payload ->> 'order_id')::bigint
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id where m.contract_version in (1, 2);

create or replace function shop.email_cancel(); -- ordered
create or replace function shop.email_cancel_all();

create or replace function shop.email_peek(); -- dead

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
-- whose time is not over
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- in order
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- in order
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- may be left out
-- order_id = p_order_id
-- ends interval '1 hour' after it is due
;

create or replace function shop.email_enqueue_many_v1()
-- in the order of order_id, the arrays
-- order_id = t.order_id
;

-- reverse
do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 2
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

create or replace function shop.email_free_dead(); -- 1 1

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dropped, else delayed, order_id
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_stats();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id where m.contract_version = 1;

create or replace function shop.email_cancel();
create or replace function shop.email_cancel_all();

create or replace function shop.email_peek();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_delay interval default null
)
-- order_id = p_order_id
;

create or replace function shop.email_enqueue_many_v1()
-- order_id = t.order_id
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, 'ea20c02681c2f2fa10b6b22d925708906cbff9cd8554167e25bd907656283b04')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
-- whose time is not over
;

create function shop.email_lock_heads_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create function shop.email_pick_heads_v2()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0), hashint8extended(e.order_id, 0)
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
-- in order
;

create function shop.email_claim_json_v2(); -- order_id -- note

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
-- in order
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2
from public;
grant execute on function
  shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to ops;

-- reverse
do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 2 and not (m.contract_version in (1, 2))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2 and not (m.contract_version in (1, 2))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2 and not (m.contract_version in (1, 2))
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v2 that no older contract can read', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop function shop.email_claim_json_v2, shop.email_claim_v2, shop.email_take_v2, shop.email_pick_v2, shop.email_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2;

delete from shop.quern_contract
where queue = 'email'
  and version = 2;

-- step: producers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.email_wake_v2();

create function shop.email_enqueue_v2(
  p_order_id bigint,
  p_note text default null,
  p_delay interval default null
) returns message_id, is_duplicate
-- may be left out
-- order_id = p_order_id
-- note = p_note
-- ends interval '1 hour' after it is due
;

create function shop.email_enqueue_many_v2() returns message_id, is_duplicate
-- in the order of order_id, the arrays
-- order_id = t.order_id
-- note = t.note
;

create function shop.email_enqueue_json_v2()
-- '{"order_id": "number", "note": "string?"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_note = p_payload ->> 'note'
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, order_id, note) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

-- reverse
revoke insert (note) on shop.email_message from web;
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;

-- step: settle_unique_v2
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

-- reverse
-- Nothing to wait for in this direction.

-- step: keep_unique_v2
-- lock: share row exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_hold_key()
-- while pending
-- order_id bigint = new.order_id
;

create or replace function shop.email_free_key()
-- order_id = e.order_id
;

-- A message that was tried before has, or had, its key: it only moves. So does one that is inserted with the session 0,
-- which is nobody's.
create trigger email_hold_key
before insert on shop.email_message
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.email_hold_key();
create trigger email_hold_key
before insert on shop.email_delayed
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.email_hold_key();
create trigger email_free_key
after delete on shop.email_message
referencing old table as ended
for each statement execute function shop.email_free_key();
create trigger email_free_key
after delete on shop.email_delayed
referencing old table as ended
for each statement execute function shop.email_free_key();

-- reverse
drop trigger email_hold_key on shop.email_message;
drop trigger email_hold_key on shop.email_delayed;
drop trigger email_free_key on shop.email_message;
drop trigger email_free_key on shop.email_delayed;
drop function shop.email_free_key();
drop function shop.email_hold_key();

-- step: fill_unique_v2
-- lock: none that anybody waits for; waits until older transactions have ended
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

-- The messages that were pending before get their keys, a thousand at a time; where several have the same, the oldest. A
-- producer that has such a key and waits for another one of the same thousand is given way: then it is one at a time.
do $$
declare
  v_last bigint := -1;
  v_next bigint;
  v_count integer := 1000;
begin
  loop
    begin
      perform pg_catalog.set_config('lock_timeout', '15ms', true);
      with batch as materialized (
        select b.*
        from (
          (
            select e.message_id, e.enqueued_at, e.order_id as key_1
            from shop.email_message as e
            where e.message_id > v_last
            order by e.message_id
            limit v_count
          )
          union all
          (
            select e.message_id, e.enqueued_at, e.order_id as key_1
            from shop.email_delayed as e
            where e.message_id > v_last
            order by e.message_id
            limit v_count
          )
        ) as b
        order by b.message_id
        limit v_count
      ), filled as (
        insert into shop.email_unique_v2 (order_id, message_id)
        select b.key_1, b.message_id
        from batch as b
        where pg_catalog.num_nulls(b.key_1) = 0
        order by b.key_1, b.message_id
        on conflict do nothing
      )
      select max(b.message_id)
      into v_next
      from batch as b;
      v_last := v_next;
      v_count := 1000;
    exception
      when lock_not_available or deadlock_detected then
        v_count := 1;
    end;
    exit when v_last is null;
    commit;
  end loop;
end
$$;

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

-- What has ended while its key was being filled in.
delete from shop.email_unique_v2 as u
where not exists (select from shop.email_message as m where m.message_id = u.message_id)
  and not exists (select from shop.email_delayed as d where d.message_id = u.message_id);

-- reverse
-- The keys go with their table.

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1,
  shop.email_lock_heads_v1, shop.email_pick_heads_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2
from public;
grant execute on function
  shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to ops;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, order_id, note) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next,
  shop.email_blocked,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant insert on shop.email to web;
grant execute on function
  shop.email_claim_json,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_blocked,
  shop.email_cancel_all, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- reverse
revoke execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1, shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2 from web;
revoke insert (contract_version, order_id, note) on shop.email_message from web;
revoke usage on sequence shop.email_message_id from web;
revoke insert on shop.email from web;
revoke execute on function shop.email_claim_json, shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2 from mailer;
revoke select, update, delete on shop.email from mailer;
revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at, shop.email_v2_produced_at, shop.email_v2_swept_at from ops;
revoke execute on function shop.email_redrive, shop.email_redrive_all, shop.email_purge, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.email_cancel_all, shop.email_blocked from ops;
revoke select on shop.email_message, shop.email_delayed, shop.email_dead from ops;

-- What all queues and streams share goes with the last of them that gives it. Only the database knows which one that is: a
-- new install makes them in another order than they came.
do $$
declare
  v_role text;
  v_given text[];
begin
  for v_role, v_given in
    select r.rolname, pg_catalog.array_agg(coalesce(f.proname, t.relname)::text)
    from pg_catalog.pg_shdepend as d
    join pg_catalog.pg_database as b on b.oid = d.dbid
    join pg_catalog.pg_roles as r on r.oid = d.refobjid
    left join pg_catalog.pg_proc as f on f.oid = d.objid and d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    left join pg_catalog.pg_class as t on t.oid = d.objid and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    join pg_catalog.pg_namespace as n on n.oid = coalesce(f.pronamespace, t.relnamespace)
    where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      and d.deptype = 'a'
      and b.datname = current_database()
      and n.nspname = 'shop'
      and r.rolname in ('mailer', 'ops', 'web')
    group by r.rolname
  loop
    if v_role = 'mailer' and 'queue_dequeue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_claim_json$') then
      revoke execute on function shop.queue_dequeue, shop.queue_ack, shop.quern_queue_of from mailer;
    end if;
    if v_role = 'mailer' and 'quern_worker_begin' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_extend$') then
      revoke execute on function shop.quern_worker_begin, shop.quern_worker_beat from mailer;
    end if;
    if v_role = 'mailer' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from mailer;
      revoke usage on schema shop from mailer;
    end if;
    if v_role = 'ops' and 'quern_workers' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke execute on function shop.quern_workers from ops;
    end if;
    if v_role = 'ops' and 'quern_contract' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke select on shop.quern_contract, shop.quern_client from ops;
    end if;
    if v_role = 'ops' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from ops;
      revoke usage on schema shop from ops;
    end if;
    if v_role = 'web' and 'queue_enqueue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_enqueue_json$') then
      revoke execute on function shop.queue_enqueue from web;
    end if;
    if v_role = 'web' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from web;
      revoke usage on schema shop from web;
    end if;
  end loop;
end
$$;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;

-- step: settle_claims
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

-- reverse
-- Nothing to wait for in this direction.

-- step: held_messages
-- lock: none but on rows of claimed messages; waits until transactions that end them have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

-- Messages that were claimed before go where the claims of an ordered queue look for those that are begun. Nobody waits:
-- what a transaction is working on is looked at again.
do $$
begin
  loop
    with held as (
      delete from shop.email_message as m
      where m.message_id = any (array(
        select l.message_id
        from shop.email_message as l
        where l.lease_until > '-infinity'
        limit 1000
        for update skip locked
      ))
      returning m.*
    )
    insert into shop.email_delayed (message_id, due_at, lease_until, enqueued_at, attempt, release_count, contract_version, quern_expires_at, order_id, note)
    select h.message_id, h.lease_until, h.lease_until, h.enqueued_at, h.attempt, h.release_count, h.contract_version, h.quern_expires_at, h.order_id, h.note
    from held as h;
    if not found then
      commit;
      exit when not exists (select from shop.email_message as m where m.lease_until > '-infinity');
      perform pg_catalog.pg_sleep(0.01);
    end if;
    commit;
  end loop;
end
$$;

-- reverse
-- Nothing to do in this direction.

-- step: begin_expiry
-- lock: access exclusive on shop.email_message, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  alter column quern_expires_at set default now() + interval '1 hour';

-- reverse
alter table shop.email_message
  alter column quern_expires_at drop default;
