-- quern migration: email/0002_expand_v2
-- Changes queue email: adds the field "priority".

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
  add column priority smallint default 5 not null,
  add constraint email_priority_min check (priority >= 0) not valid,
  add constraint email_priority_max check (priority <= 9) not valid;
alter table shop.email_delayed
  add column priority smallint default 5 not null,
  add constraint email_priority_min check (priority >= 0) not valid,
  add constraint email_priority_max check (priority <= 9) not valid;
alter table shop.email_dead
  add column priority smallint default 5 not null;

-- reverse
alter table shop.email_message
  drop column priority;
alter table shop.email_delayed
  drop column priority;
alter table shop.email_dead
  drop column priority;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_priority_min;
alter table shop.email_message validate constraint email_priority_max;
alter table shop.email_delayed validate constraint email_priority_min;
alter table shop.email_delayed validate constraint email_priority_max;

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
  drop constraint email_priority_min,
  drop constraint email_priority_max;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_priority_min,
  drop constraint email_priority_max;

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

create or replace function shop.email_free_dead(); -- 1, 2 2

create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, order_id, subject, priority
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, subject, priority
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, order_id, subject, priority
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number", "subject": "string"}') is null, (p_payload ->> 'order_id')::bigint, p_payload ->> 'subject'
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version in (1, 2);

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
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
-- kept, order_id, subject
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, order_id, subject
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version = 1;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, '3d19d5536d871fa14396fc4256123fcdf45cd9ade03b5bcbb3f86e6113df73ba')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- priority smallint = m.priority or d.priority
;

create function shop.email_claim_json_v2(); -- order_id -- subject -- priority

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- priority smallint = m.priority or d.priority
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
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

drop function shop.email_claim_json_v2, shop.email_claim_v2, shop.email_take_v2, shop.email_pick_v2, shop.email_next_due_v2;

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
  p_subject text,
  p_priority smallint default 5,
  p_delay interval default null
)
-- order_id = p_order_id
-- subject = p_subject
-- priority = p_priority
;

create function shop.email_enqueue_many_v2()
-- order_id = t.order_id
-- subject = t.subject
-- priority = coalesce(t.priority, '5'::smallint)
;

create function shop.email_enqueue_json_v2()
-- '{"order_id": "number", "subject": "string", "priority": "number?"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_priority = coalesce((p_payload ->> 'priority')::smallint, '5'::smallint)
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

-- reverse
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;
