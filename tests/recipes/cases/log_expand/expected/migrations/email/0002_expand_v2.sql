-- quern migration: email/0002_expand_v2
-- Changes queue email: changes the constraints of "subject"; adds the field "origin"; removes the field "note".
-- roles: mailer, ops, web

-- step: hints_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.email_v2_swept_at as bigint minvalue 0;
create sequence shop.email_v2_produced_at as bigint minvalue 0;
comment on sequence shop.email_v2_swept_at is 'When a consumer last used contract v2, in milliseconds since 1970, to the second.';
comment on sequence shop.email_v2_produced_at is 'When a producer last used contract v2, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.email_v2_swept_at, shop.email_v2_produced_at;

-- step: columns
-- lock: access exclusive on shop.email_message, shop.email_delayed, shop.email_dead, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.email_message
  add column origin text default 'web' not null,
  drop constraint email_subject_max_length,
  add constraint email_subject_max_length_v1 check (contract_version <> 1 or (char_length(subject) <= 80)) not valid,
  add constraint email_subject_max_length_v2 check (contract_version <> 2 or (char_length(subject) <= 200)) not valid;
alter table shop.email_delayed
  add column origin text default 'web' not null,
  drop constraint email_subject_max_length,
  add constraint email_subject_max_length_v1 check (contract_version <> 1 or (char_length(subject) <= 80)) not valid,
  add constraint email_subject_max_length_v2 check (contract_version <> 2 or (char_length(subject) <= 200)) not valid;
alter table shop.email_dead
  add column origin text default 'web' not null;

-- reverse
alter table shop.email_message
  drop column origin;
alter table shop.email_delayed
  drop column origin;
alter table shop.email_dead
  drop column origin;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_subject_max_length_v1;
alter table shop.email_message validate constraint email_subject_max_length_v2;
alter table shop.email_delayed validate constraint email_subject_max_length_v1;
alter table shop.email_delayed validate constraint email_subject_max_length_v2;

-- reverse
do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where m.contract_version = 2
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
  -- What is done goes with its segment, when all that was enqueued with it is done: that does not take long.
  perform shop.email_rotate(0);
  v_segments := array(select distinct m.segment from shop.email_message as m where m.contract_version = 2);
  for v_look in 1 .. 100 loop
    exit when not exists (select from shop.email_live as l where l.segment = any (v_segments));
    perform pg_catalog.pg_sleep(0.05);
  end loop;
  perform shop.email_truncate(s.segment)
  from unnest(v_segments) as s (segment);
  select count(*)
  into v_count
  from shop.email_message as m
  where m.contract_version = 2;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('the log of queue "email" still holds %s handled %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end),
      hint = 'They go as soon as all that was enqueued with them is handled: try again.';
  end if;
end
$$;

alter table shop.email_message validate constraint email_subject_max_length;
alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_subject_max_length;
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
  drop constraint email_subject_max_length_v1,
  drop constraint email_subject_max_length_v2,
  add constraint email_subject_max_length check (char_length(subject) <= 80) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_subject_max_length_v1,
  drop constraint email_subject_max_length_v2,
  add constraint email_subject_max_length check (char_length(subject) <= 80) not valid;

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

create or replace function shop.email_free_dead(); -- 1, 2 2 log

create or replace function shop.email_finish()
-- v2 and older: set apart into delayed, order_id, subject, note, origin
;
create or replace function shop.email_set_apart()
-- v2 and older: into delayed, order_id, subject, note, origin
;

create or replace function shop.email_wait_for_log();
create or replace function shop.email_free();
create or replace function shop.email_next()
-- v2 and older
;
create or replace function shop.email_claimed_after();

create or replace function shop.email_truncate();
create or replace function shop.email_rotate();
create or replace function shop.email_compact();
create or replace function shop.email_maintain();
create or replace function shop.email_restored()
-- v2 and older: into delayed, order_id, subject, note, origin
;

create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, order_id, subject, note, origin
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, subject, note, origin
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, order_id, subject, note, origin
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number", "subject": "string", "note": "string?"}') is null, (p_payload ->> 'order_id')::bigint, p_payload ->> 'subject', p_payload ->> 'note', char_length((p_payload ->> 'subject')) <= 80
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject, m.note as note where (m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false));

create or replace function shop.email_pick_v1()
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (char_length(d.subject) <= 80) is not false))
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (char_length(d.subject) <= 80) is not false))
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (char_length(d.subject) <= 80) is not false))
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

-- reverse
do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where m.contract_version = 2
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
  -- What is done goes with its segment, when all that was enqueued with it is done: that does not take long.
  perform shop.email_rotate(0);
  v_segments := array(select distinct m.segment from shop.email_message as m where m.contract_version = 2);
  for v_look in 1 .. 100 loop
    exit when not exists (select from shop.email_live as l where l.segment = any (v_segments));
    perform pg_catalog.pg_sleep(0.05);
  end loop;
  perform shop.email_truncate(s.segment)
  from unnest(v_segments) as s (segment);
  select count(*)
  into v_count
  from shop.email_message as m
  where m.contract_version = 2;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('the log of queue "email" still holds %s handled %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end),
      hint = 'They go as soon as all that was enqueued with them is handled: try again.';
  end if;
end
$$;

create or replace function shop.email_free_dead(); -- 1 1 log

create or replace function shop.email_finish()
-- v1 and older: set apart into delayed, order_id, subject, note
;
create or replace function shop.email_set_apart()
-- v1 and older: into delayed, order_id, subject, note
;

create or replace function shop.email_wait_for_log();
create or replace function shop.email_free();
create or replace function shop.email_next()
-- v1 and older
;
create or replace function shop.email_claimed_after();

create or replace function shop.email_truncate();
create or replace function shop.email_rotate();
create or replace function shop.email_compact();
create or replace function shop.email_maintain();
create or replace function shop.email_restored()
-- v1 and older: into delayed, order_id, subject, note
;

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject, note
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject, note
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, order_id, subject, note
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject, m.note as note where m.contract_version = 1;

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
-- note text = m.note or d.note
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, 'be447a02f55dbeb407e6f542627f20da66e42401cb70d0c511e6317941b50777')
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
-- origin text = m.origin or d.origin
;

create function shop.email_claim_json_v2(); -- order_id -- subject -- origin

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- origin text = m.origin or d.origin
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
from public;
grant execute on function
  shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to ops;

-- reverse
do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false)))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false)))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (char_length(m.subject) <= 80) is not false)))
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
  p_origin text default 'web',
  p_delay interval default null
)
-- order_id = p_order_id
-- subject = p_subject
-- origin = p_origin
;

create function shop.email_enqueue_many_v2()
-- order_id = t.order_id
-- subject = t.subject
-- origin = coalesce(t.origin, 'web')
;

create function shop.email_enqueue_json_v2()
-- '{"order_id": "number", "subject": "string", "origin": "string?"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_origin = coalesce(p_payload ->> 'origin', 'web')
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, order_id, subject, origin) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

-- reverse
revoke insert (origin) on shop.email_message from web;
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;
