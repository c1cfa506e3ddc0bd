-- quern migration: email/0004_retire_v1
-- Retires contract v1 of queue email: refused while a client used it lately or its messages remain.

-- step: stop
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

do $$
declare
  v_used_at timestamptz;
  v_client text;
begin
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
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 1
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 1
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 1
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v1', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let consumers handle them: those of the newer contracts take the ones that they can read. Dead letters have to be redriven or purged.';
  end if;
end
$$;

create or replace function shop.email_enqueue_json()
-- v2 where shop.quern_payload_problems(p_payload, '{"number": "number", "subject": "string", "note": "string?"}') is null, (p_payload ->> 'number')::integer, p_payload ->> 'subject', p_payload ->> 'note'
-- v3 else
;
create or replace function shop.email_claim_json(); -- v2

update shop.quern_contract
set retired_at = pg_catalog.clock_timestamp()
where queue = 'email'
  and version = 1;

drop function shop.email_enqueue_json_v1, shop.email_enqueue_many_v1, shop.email_enqueue_v1, shop.email_wake_v1, shop.email_claim_json_v1, shop.email_claim_v1, shop.email_take_v1, shop.email_next_due_v1, shop.email_pick_v1;

-- step: refuse_v1
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (2, 3)) not valid,
  drop constraint email_order_id_required_v1,
  drop constraint email_subject_required_v1,
  add constraint email_order_id_required_v2 check (contract_version <> 2 or (order_id is not null)) not valid,
  add constraint email_subject_required_v2 check (contract_version <> 2 or (subject is not null)) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version in (2, 3)) not valid,
  drop constraint email_order_id_required_v1,
  drop constraint email_subject_required_v1,
  add constraint email_order_id_required_v2 check (contract_version <> 2 or (order_id is not null)) not valid,
  add constraint email_subject_required_v2 check (contract_version <> 2 or (subject is not null)) not valid;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 1
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 1
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 1
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s in contract v1', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let consumers handle them: those of the newer contracts take the ones that they can read. Dead letters have to be redriven or purged.';
  end if;
end
$$;

alter table shop.email_message validate constraint email_order_id_required_v2;
alter table shop.email_message validate constraint email_subject_required_v2;
alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_order_id_required_v2;
alter table shop.email_delayed validate constraint email_subject_required_v2;
alter table shop.email_delayed validate constraint email_contract_version_known;

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_free_dead(); -- 2, 3 3

create or replace function shop.email_ack_many(); -- v2,  v3

create or replace function shop.email_release(); -- v2 v3

create or replace function shop.email_enqueue_json()
-- v2 where shop.quern_payload_problems(p_payload, '{"number": "number", "subject": "string", "note": "string?"}') is null, (p_payload ->> 'number')::integer, p_payload ->> 'subject', p_payload ->> 'note'
-- v3 else
;
create or replace function shop.email_claim_json(); -- v2

create or replace view shop.email as select case when m.contract_version = 2 then m.order_id when m.contract_version = 3 then m.number::integer end as number, m.subject as subject, m.note as note where (m.contract_version = 2 or (m.contract_version = 3 and (m.number between -2147483648 and 2147483647) is not false and m.subject is not null));

create or replace function shop.email_pick_v2()
-- messages where (m.contract_version = 2 or (m.contract_version = 3 and (m.number between -2147483648 and 2147483647) is not false and m.subject is not null))
-- delayed where (d.contract_version = 2 or (d.contract_version = 3 and (d.number between -2147483648 and 2147483647) is not false and d.subject is not null))
;

create or replace function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where (m.contract_version = 2 or (m.contract_version = 3 and (m.number between -2147483648 and 2147483647) is not false and m.subject is not null))
-- delayed where (d.contract_version = 2 or (d.contract_version = 3 and (d.number between -2147483648 and 2147483647) is not false and d.subject is not null))
-- number integer = case when m.contract_version = 2 then m.order_id when m.contract_version = 3 then m.number::integer end or case when d.contract_version = 2 then d.order_id when d.contract_version = 3 then d.number::integer end
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create or replace function shop.email_take_v2()
-- 8 attempts
-- messages where (m.contract_version = 2 or (m.contract_version = 3 and (m.number between -2147483648 and 2147483647) is not false and m.subject is not null))
-- delayed where (d.contract_version = 2 or (d.contract_version = 3 and (d.number between -2147483648 and 2147483647) is not false and d.subject is not null))
-- number integer = case when m.contract_version = 2 then m.order_id when m.contract_version = 3 then m.number::integer end or case when d.contract_version = 2 then d.order_id when d.contract_version = 3 then d.number::integer end
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create or replace function shop.email_pick_v3()
-- messages where m.contract_version in (2, 3)
-- delayed where d.contract_version in (2, 3)
;

create or replace function shop.email_claim_v3()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (2, 3)
-- delayed where d.contract_version in (2, 3)
-- number bigint = case when m.contract_version = 2 then m.order_id::bigint when m.contract_version = 3 then m.number end or case when d.contract_version = 2 then d.order_id::bigint when d.contract_version = 3 then d.number end
-- subject text = m.subject or d.subject
-- reply_to text = m.reply_to or d.reply_to
;

create or replace function shop.email_take_v3()
-- 8 attempts
-- messages where m.contract_version in (2, 3)
-- delayed where d.contract_version in (2, 3)
-- number bigint = case when m.contract_version = 2 then m.order_id::bigint when m.contract_version = 3 then m.number end or case when d.contract_version = 2 then d.order_id::bigint when d.contract_version = 3 then d.number end
-- subject text = m.subject or d.subject
-- reply_to text = m.reply_to or d.reply_to
;

-- step: settle
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

-- step: drop
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

drop sequence shop.email_v1_frontier, shop.email_v1_swept_at, shop.email_v1_produced_at;
