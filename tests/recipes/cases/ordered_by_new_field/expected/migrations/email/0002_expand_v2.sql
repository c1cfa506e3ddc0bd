-- quern migration: email/0002_expand_v2
-- Changes queue email: adds the field "region"; changes on_failure; changes ordered_by.

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
  add column region text;
alter table shop.email_delayed
  add column region text;
alter table shop.email_dead
  add column region text;

-- reverse
alter table shop.email_message
  drop column region;
alter table shop.email_delayed
  drop column region;
alter table shop.email_dead
  drop column region;

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

-- step: index_message_by_region
-- lock: share update exclusive on shop.email_message; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_message_by_region on shop.email_message (hashtextextended(region, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_message_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_message');

-- cleanup
drop index concurrently if exists shop.email_message_by_region;

-- reverse
drop index concurrently if exists shop.email_message_by_region;

-- step: index_delayed_by_region
-- lock: share update exclusive on shop.email_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_delayed_by_region on shop.email_delayed (hashtextextended(region, 0), (lease_until = '-infinity'), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_delayed_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_delayed');

-- cleanup
drop index concurrently if exists shop.email_delayed_by_region;

-- reverse
drop index concurrently if exists shop.email_delayed_by_region;

-- step: index_dead_by_region
-- lock: share update exclusive on shop.email_dead; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_dead_by_region on shop.email_dead (hashtextextended(region, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_dead_by_region')
  and x.indrelid = pg_catalog.to_regclass('shop.email_dead');

-- cleanup
drop index concurrently if exists shop.email_dead_by_region;

-- reverse
drop index concurrently if exists shop.email_dead_by_region;

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
-- of messages hashtextextended(m.region, 0), delayed hashtextextended(d.region, 0), unless blocked by hashtextextended(e.region, 0)
;

create function shop.email_start()
-- v2 and older: from messages to delayed, customer_id, subject, region
;
create function shop.email_park()
-- v2 and older: from delayed to messages, customer_id, subject, region
;

create function shop.email_wake_next()
-- by hashtextextended(m.region, 0), hashtextextended(d.region, 0)
;

create function shop.email_lock_heads_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create function shop.email_pick_heads_v1()
-- by hashtextextended(m.region, 0), hashtextextended(d.region, 0), hashtextextended(e.region, 0); without region by email_pick_v1
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1,
  shop.email_lock_heads_v1, shop.email_pick_heads_v1
from public;

create function shop.email_blocked()
-- region by hashtextextended(e.region, 0)
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
-- kept, customer_id, subject, region
-- blocking
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, customer_id, subject, region
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, customer_id, subject, region
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"customer_id": "number", "subject": "string"}') is null, (p_payload ->> 'customer_id')::bigint, p_payload ->> 'subject'
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.customer_id as customer_id, m.subject as subject where m.contract_version in (1, 2);

create or replace function shop.email_cancel(); -- ordered
create or replace function shop.email_cancel_all();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashtextextended(m.region, 0) nor hashtextextended(d.region, 0)
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- in order
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- in order
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
-- kept, customer_id, subject
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, customer_id, subject
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, customer_id, subject
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.customer_id as customer_id, m.subject as subject where m.contract_version = 1;

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
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, '70bb618e4135ebd026cc76ec9f08d6389b584956aafedbcda7ca44050adebb6d')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashtextextended(m.region, 0) nor hashtextextended(d.region, 0)
;

create function shop.email_lock_heads_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create function shop.email_pick_heads_v2()
-- by hashtextextended(m.region, 0), hashtextextended(d.region, 0), hashtextextended(e.region, 0); without region by email_pick_v2
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- region text = m.region or d.region
-- in order
;

create function shop.email_claim_json_v2(); -- customer_id -- subject -- region

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- region text = m.region or d.region
-- in order
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2
from public;

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
  p_customer_id bigint,
  p_subject text,
  p_region text default null,
  p_delay interval default null
)
-- customer_id = p_customer_id
-- subject = p_subject
-- region = p_region
;

create function shop.email_enqueue_many_v2()
-- customer_id = t.customer_id
-- subject = t.subject
-- region = t.region
;

create function shop.email_enqueue_json_v2()
-- '{"customer_id": "number", "subject": "string", "region": "string?"}'
-- p_customer_id = (p_payload ->> 'customer_id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_region = p_payload ->> 'region'
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

-- reverse
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
    insert into shop.email_delayed (message_id, due_at, lease_until, enqueued_at, attempt, release_count, contract_version, customer_id, subject, region)
    select h.message_id, h.lease_until, h.lease_until, h.enqueued_at, h.attempt, h.release_count, h.contract_version, h.customer_id, h.subject, h.region
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
