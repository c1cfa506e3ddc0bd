-- quern migration: email/0002_expand_v2
-- Changes queue email: lets messages be the same; changes unique.within.

-- step: fill_unique_v1
-- lock: none that anybody waits for; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

-- The keys go with their table.

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
            select e.message_id, e.enqueued_at, e.order_id::bigint as key_1
            from shop.email_message as e
            where e.message_id > v_last
            order by e.message_id
            limit v_count
          )
          union all
          (
            select e.message_id, e.enqueued_at, e.order_id::bigint as key_1
            from shop.email_delayed as e
            where e.message_id > v_last
            order by e.message_id
            limit v_count
          )
        ) as b
        order by b.message_id
        limit v_count
      ), filled as (
        insert into shop.email_unique_v1 (order_id, message_id, lease_until)
        select b.key_1, b.message_id, b.enqueued_at + interval '10 minutes'
        from batch as b
        where b.enqueued_at + interval '10 minutes' > pg_catalog.clock_timestamp()
          and pg_catalog.num_nulls(b.key_1) = 0
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

-- step: stop_unique_v1
-- lock: access exclusive on shop.email_message, shop.email_delayed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop trigger email_hold_key on shop.email_message;
drop trigger email_hold_key on shop.email_delayed;
drop function shop.email_hold_key();

-- reverse
create or replace function shop.email_hold_key()
-- for interval '10 minutes'
-- order_id bigint = new.order_id::bigint
;

-- A message that was tried before has, or had, its key: it only moves. So does one that is inserted with the session 0,
-- which is nobody's.
create trigger email_hold_key
before insert on shop.email_message
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.email_hold_key();
create trigger email_hold_key
before insert on shop.email_delayed
for each row when (new.attempt = 0 and new.quern_session is null) execute function shop.email_hold_key();

-- step: settle_unique_v1
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
-- kept, order_id, subject
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, subject
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, order_id, subject
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number", "subject": "string"}') is null, (p_payload ->> 'order_id')::integer, p_payload ->> 'subject'
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
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_enqueue_v1(
  p_order_id integer,
  p_subject text,
  p_delay interval default null
) returns message_id, is_duplicate
-- order_id = p_order_id
-- subject = p_subject
;

create or replace function shop.email_enqueue_many_v1() returns message_id, is_duplicate
-- order_id = t.order_id
-- subject = t.subject
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
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_enqueue_v1(
  p_order_id integer,
  p_subject text,
  p_delay interval default null
) returns message_id, is_duplicate
-- may be left out
-- order_id = p_order_id
-- subject = p_subject
;

create or replace function shop.email_enqueue_many_v1() returns message_id, is_duplicate
-- in the order of order_id, the arrays
-- order_id = t.order_id
-- subject = t.subject
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, 'a0fb87e08776fb3e7a8c901ac9af639e9bdcc2e975c045390af4cfa4c21a25ac')
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
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create function shop.email_claim_json_v2(); -- order_id -- subject

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
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
  p_order_id integer,
  p_subject text,
  p_delay interval default null
)
-- order_id = p_order_id
-- subject = p_subject
;

create function shop.email_enqueue_many_v2()
-- order_id = t.order_id
-- subject = t.subject
;

create function shop.email_enqueue_json_v2()
-- '{"order_id": "number", "subject": "string"}'
-- p_order_id = (p_payload ->> 'order_id')::integer
-- p_subject = p_payload ->> 'subject'
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

-- reverse
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;

-- step: settle_before_unique_v1
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

-- step: drop_unique_v1
-- lock: access exclusive on email_unique_v1, which nobody uses any more
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop table shop.email_unique_v1;

-- reverse
-- What makes messages the same, and which message has it. A claim never looks at it.
create table shop.email_unique_v1 (
  order_id bigint not null,
  message_id bigint not null,
  lease_until timestamptz not null,
  constraint email_unique_v1_key primary key (order_id)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index email_unique_v1_ended on shop.email_unique_v1 (lease_until);
comment on table shop.email_unique_v1 is 'The last message of queue email with these values, and until when there is no other.';
