-- quern migration: email/0003_expand_v3
-- Changes queue email: adds the field "day".

-- step: hints_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.email_v3_frontier as bigint minvalue 0;
create sequence shop.email_v3_swept_at as bigint minvalue 0;
create sequence shop.email_v3_produced_at as bigint minvalue 0;
comment on sequence shop.email_v3_frontier is 'The next message id to hand out to consumers of contract v3.';
comment on sequence shop.email_v3_swept_at is 'When a claim of contract v3 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.email_v3_produced_at is 'When a producer last used contract v3, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.email_v3_frontier, shop.email_v3_swept_at, shop.email_v3_produced_at;

-- step: columns
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column day date;
alter table shop.email_delayed
  add column day date;
alter table shop.email_dead
  add column day date;

-- reverse
alter table shop.email_message
  drop column day;
alter table shop.email_delayed
  drop column day;
alter table shop.email_dead
  drop column day;

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
    select m.message_id from shop.email_message as m where m.contract_version = 3
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 3
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 3
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v3', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_contract_version_known;

-- step: allow_v3
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2, 3)) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2, 3)) not valid;

-- reverse
alter table shop.email_message
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2)) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (1, 2)) not valid;

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

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_free_dead(); -- 1, 2, 3 3 ordered

create or replace function shop.email_bury()
-- v3 and older, after 8 attempts
-- kept, customer_id, subject, note, day
-- blocking
;

create or replace function shop.email_start()
-- v3 and older: from messages to delayed, customer_id, subject, note, day
;
create or replace function shop.email_park()
-- v3 and older: from delayed to messages, customer_id, subject, note, day
;

create or replace function shop.email_ack_many(); -- v1,  v2,  v3

create or replace function shop.email_nack()
-- v3 and older, after 8 attempts dead, else delayed, customer_id, subject, note, day
;

create or replace function shop.email_release(); -- v1 v2 v3

create or replace function shop.email_redrive_all()
-- v3 and older, customer_id, subject, note, day
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"customer_id": "number", "subject": "string"}') is null, (p_payload ->> 'customer_id')::bigint, p_payload ->> 'subject'
-- v2 where shop.quern_payload_problems(p_payload, '{"customer_id": "number", "subject": "string", "note": "string?"}') is null, (p_payload ->> 'customer_id')::bigint, p_payload ->> 'subject', p_payload ->> 'note'
-- v3 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.customer_id as customer_id, m.subject as subject where m.contract_version in (1, 2, 3);

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- in order
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- in order
;

create or replace function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_lock_heads_v2()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;
create or replace function shop.email_pick_heads_v2()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;

create or replace function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- in order
;

create or replace function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
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
    select m.message_id from shop.email_message as m where m.contract_version = 3
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 3
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 3
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v3', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

create or replace function shop.email_free_dead(); -- 1, 2 2 ordered

create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, customer_id, subject, note
-- blocking
;

create or replace function shop.email_start()
-- v2 and older: from messages to delayed, customer_id, subject, note
;
create or replace function shop.email_park()
-- v2 and older: from delayed to messages, customer_id, subject, note
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, customer_id, subject, note
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, customer_id, subject, note
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"customer_id": "number", "subject": "string"}') is null, (p_payload ->> 'customer_id')::bigint, p_payload ->> 'subject'
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.customer_id as customer_id, m.subject as subject where m.contract_version in (1, 2);

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
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

create or replace function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_lock_heads_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create or replace function shop.email_pick_heads_v2()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create or replace function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- in order
;

create or replace function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- in order
;

-- step: consumers_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 3, '749134593b1fe31e3f99579f6ff533c48d3bf7d83d169e10340327a4b3659b0e')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v3()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create function shop.email_lock_heads_v3()
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;
create function shop.email_pick_heads_v3()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0), hashint8extended(e.customer_id, 0)
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
;

create function shop.email_claim_v3()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- day date = m.day or d.day
-- in order
;

create function shop.email_claim_json_v3(); -- customer_id -- subject -- note -- day

create function shop.email_take_v3()
-- 8 attempts
-- messages where m.contract_version in (1, 2, 3)
-- delayed where d.contract_version in (1, 2, 3)
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- day date = m.day or d.day
-- in order
;

create function shop.email_next_due_v3();

revoke all on function
  shop.email_pick_v3, shop.email_claim_v3, shop.email_claim_json_v3, shop.email_take_v3, shop.email_next_due_v3,
  shop.email_lock_heads_v3, shop.email_pick_heads_v3
from public;

-- reverse
do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 3 and not (m.contract_version in (1, 2, 3) or m.contract_version in (1, 2, 3))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 3 and not (m.contract_version in (1, 2, 3) or m.contract_version in (1, 2, 3))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 3 and not (m.contract_version in (1, 2, 3) or m.contract_version in (1, 2, 3))
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v3 that no older contract can read', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop function shop.email_claim_json_v3, shop.email_claim_v3, shop.email_take_v3, shop.email_pick_v3, shop.email_next_due_v3,
  shop.email_lock_heads_v3, shop.email_pick_heads_v3;

delete from shop.quern_contract
where queue = 'email'
  and version = 3;

-- step: producers_v3
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.email_wake_v3();

create function shop.email_enqueue_v3(
  p_customer_id bigint,
  p_subject text,
  p_note text default null,
  p_day date default null,
  p_delay interval default null
)
-- customer_id = p_customer_id
-- subject = p_subject
-- note = p_note
-- day = p_day
;

create function shop.email_enqueue_many_v3()
-- customer_id = t.customer_id
-- subject = t.subject
-- note = t.note
-- day = t.day
;

create function shop.email_enqueue_json_v3()
-- '{"customer_id": "number", "subject": "string", "note": "string?", "day": "string?"}'
-- p_customer_id = (p_payload ->> 'customer_id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_note = p_payload ->> 'note'
-- p_day = (p_payload ->> 'day')::date
;

revoke all on function
  shop.email_wake_v3, shop.email_enqueue_v3, shop.email_enqueue_many_v3, shop.email_enqueue_json_v3
from public;

-- reverse
drop function shop.email_enqueue_json_v3, shop.email_enqueue_many_v3, shop.email_enqueue_v3, shop.email_wake_v3;
