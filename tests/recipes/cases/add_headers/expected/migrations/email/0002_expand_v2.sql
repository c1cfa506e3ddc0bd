-- quern migration: email/0002_expand_v2
-- Changes queue email: adds headers; changes expires; changes on_failure; changes ordered_by.
-- roles: mailer, ops, web

-- step: expiry
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column quern_expires_at timestamptz;
alter table shop.email_delayed
  add column quern_expires_at timestamptz;
alter table shop.email_dead
  add column quern_expires_at timestamptz;

comment on column shop.email_message.quern_expires_at is 'When it ends unless it was handled.';

create function shop.email_expire(p_message_ids bigint[])
-- v2 and older, kept, quern_expires_at, quern_headers, order_id, note
;
create function shop.email_expire_first();

-- reverse
drop function shop.email_expire_first, shop.email_expire;

alter table shop.email_message
  drop column quern_expires_at;
alter table shop.email_delayed
  drop column quern_expires_at;
alter table shop.email_dead
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
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column quern_headers jsonb,
  add constraint email_headers_fit check (jsonb_typeof(quern_headers) = 'object' and octet_length(quern_headers::text) <= 8192) not valid;
alter table shop.email_delayed
  add column quern_headers jsonb,
  add constraint email_headers_fit check (jsonb_typeof(quern_headers) = 'object' and octet_length(quern_headers::text) <= 8192) not valid;
alter table shop.email_dead
  add column quern_headers jsonb;

comment on column shop.email_message.quern_headers is 'A JSON object that travels with it, besides its payload.';

-- reverse
alter table shop.email_message
  drop column quern_headers;
alter table shop.email_delayed
  drop column quern_headers;
alter table shop.email_dead
  drop column quern_headers;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_headers_fit;
alter table shop.email_delayed validate constraint email_headers_fit;

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
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
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
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_headers_fit;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_headers_fit;

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

-- step: index_dead_by_order_id
-- lock: share update exclusive on shop.email_dead; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_dead_by_order_id on shop.email_dead (hashint8extended(order_id, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_dead_by_order_id')
  and x.indrelid = pg_catalog.to_regclass('shop.email_dead');

-- cleanup
drop index concurrently if exists shop.email_dead_by_order_id;

-- reverse
drop index concurrently if exists shop.email_dead_by_order_id;

-- step: blocking
-- lock: access exclusive on the dead letters, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_dead
  add column is_blocking boolean not null default false;
comment on column shop.email_dead.is_blocking is 'Whether later messages of the same key wait until this one is redriven or purged.';

-- reverse
alter table shop.email_dead
  drop column is_blocking;

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
-- v2 and older: from messages to delayed, quern_expires_at, quern_headers, order_id, note
;
create function shop.email_park()
-- v2 and older: from delayed to messages, quern_expires_at, quern_headers, order_id, note
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
-- kept, quern_expires_at, quern_headers, order_id, note
-- blocking
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, quern_expires_at, quern_headers, order_id, note
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, quern_expires_at, quern_headers, order_id, note
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number", "note": "string?"}') is null, (p_payload ->> 'order_id')::bigint, p_payload ->> 'note'
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.note as note where m.contract_version in (1, 2);

create or replace function shop.email_cancel(); -- ordered
create or replace function shop.email_cancel_all();

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
-- note text = m.note or d.note
-- in order
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
-- in order
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_note text default null,
  p_delay interval default null
)
-- order_id = p_order_id
-- note = p_note
-- ends interval '1 hour' after it is due
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
-- kept, order_id, note
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, note
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, order_id, note
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.note as note where m.contract_version = 1;

create or replace function shop.email_cancel();
create or replace function shop.email_cancel_all();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
;

create or replace function shop.email_enqueue_v1(
  p_order_id bigint,
  p_note text default null,
  p_delay interval default null
)
-- order_id = p_order_id
-- note = p_note
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, '7a70dc8ab6c618bb98ec0729e9a5b3af517c0020241cce511d363215b966dc28')
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
-- headers jsonb
;

create function shop.email_claim_json_v2(); -- headers jsonb -- order_id -- note

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- note text = m.note or d.note
-- in order
-- headers jsonb
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
)
-- order_id = p_order_id
-- note = p_note
-- ends interval '1 hour' after it is due
-- quern_headers = p_headers
;

create function shop.email_enqueue_many_v2()
-- order_id = t.order_id
-- note = t.note
-- quern_headers = p_headers
;

create function shop.email_enqueue_json_v2()
-- '{"order_id": "number", "note": "string?"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_note = p_payload ->> 'note'
-- quern_headers = p_headers
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, quern_headers, order_id, note) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

-- reverse
revoke insert (quern_headers) on shop.email_message from web;
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;

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
    insert into shop.email_delayed (message_id, due_at, lease_until, enqueued_at, attempt, release_count, contract_version, quern_expires_at, quern_headers, order_id, note)
    select h.message_id, h.lease_until, h.lease_until, h.enqueued_at, h.attempt, h.release_count, h.contract_version, h.quern_expires_at, h.quern_headers, h.order_id, h.note
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
