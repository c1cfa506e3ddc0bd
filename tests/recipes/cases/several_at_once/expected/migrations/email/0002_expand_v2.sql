-- quern migration: email/0002_expand_v2
-- Changes queue email: renames the field "order_id" to "id"; widens "id" from int32 to int64; makes "subject" optional; changes the constraints of "subject"; knows new values of "channel"; adds the field "reply_to"; removes the field "note"; changes grants.consume; changes grants.operate; changes lease.
-- roles: courier, mailer, web

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
  alter column order_id drop not null,
  alter column subject drop not null,
  add column id bigint,
  add column reply_to text default 'nobody' not null,
  drop constraint email_subject_max_length,
  add constraint email_order_id_required_v1 check (contract_version <> 1 or (order_id is not null)) not valid,
  add constraint email_subject_max_length_v1 check (contract_version <> 1 or (char_length(subject) <= 80)) not valid,
  add constraint email_subject_required_v1 check (contract_version <> 1 or (subject is not null)) not valid,
  add constraint email_subject_max_length_v2 check (contract_version <> 2 or (char_length(subject) <= 200)) not valid,
  add constraint email_channel_values_v1 check (contract_version <> 1 or (channel in ('email', 'sms'))) not valid,
  add constraint email_id_required_v2 check (contract_version <> 2 or (id is not null)) not valid;
alter table shop.email_delayed
  alter column order_id drop not null,
  alter column subject drop not null,
  add column id bigint,
  add column reply_to text default 'nobody' not null,
  drop constraint email_subject_max_length,
  add constraint email_order_id_required_v1 check (contract_version <> 1 or (order_id is not null)) not valid,
  add constraint email_subject_max_length_v1 check (contract_version <> 1 or (char_length(subject) <= 80)) not valid,
  add constraint email_subject_required_v1 check (contract_version <> 1 or (subject is not null)) not valid,
  add constraint email_subject_max_length_v2 check (contract_version <> 2 or (char_length(subject) <= 200)) not valid,
  add constraint email_channel_values_v1 check (contract_version <> 1 or (channel in ('email', 'sms'))) not valid,
  add constraint email_id_required_v2 check (contract_version <> 2 or (id is not null)) not valid;
alter table shop.email_dead
  alter column order_id drop not null,
  alter column subject drop not null,
  add column id bigint,
  add column reply_to text default 'nobody' not null;

-- reverse
alter table shop.email_message
  alter column order_id set not null,
  alter column subject set not null;
alter table shop.email_delayed
  alter column order_id set not null,
  alter column subject set not null;
alter table shop.email_dead
  alter column order_id set not null,
  alter column subject set not null;

alter table shop.email_message
  drop column id,
  drop column reply_to,
  drop constraint email_order_id_present,
  drop constraint email_subject_present;
alter table shop.email_delayed
  drop column id,
  drop column reply_to,
  drop constraint email_order_id_present,
  drop constraint email_subject_present;
alter table shop.email_dead
  drop column id,
  drop column reply_to;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_order_id_required_v1;
alter table shop.email_message validate constraint email_subject_max_length_v1;
alter table shop.email_message validate constraint email_subject_required_v1;
alter table shop.email_message validate constraint email_subject_max_length_v2;
alter table shop.email_message validate constraint email_channel_values_v1;
alter table shop.email_message validate constraint email_id_required_v2;
alter table shop.email_delayed validate constraint email_order_id_required_v1;
alter table shop.email_delayed validate constraint email_subject_max_length_v1;
alter table shop.email_delayed validate constraint email_subject_required_v1;
alter table shop.email_delayed validate constraint email_subject_max_length_v2;
alter table shop.email_delayed validate constraint email_channel_values_v1;
alter table shop.email_delayed validate constraint email_id_required_v2;

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

alter table shop.email_message validate constraint email_subject_max_length;
alter table shop.email_message validate constraint email_order_id_present;
alter table shop.email_message validate constraint email_subject_present;
alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_subject_max_length;
alter table shop.email_delayed validate constraint email_order_id_present;
alter table shop.email_delayed validate constraint email_subject_present;
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
  drop constraint email_order_id_required_v1,
  drop constraint email_subject_max_length_v1,
  drop constraint email_subject_required_v1,
  drop constraint email_subject_max_length_v2,
  drop constraint email_channel_values_v1,
  drop constraint email_id_required_v2,
  add constraint email_subject_max_length check (char_length(subject) <= 80) not valid,
  add constraint email_order_id_present check (order_id is not null) not valid,
  add constraint email_subject_present check (subject is not null) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_order_id_required_v1,
  drop constraint email_subject_max_length_v1,
  drop constraint email_subject_required_v1,
  drop constraint email_subject_max_length_v2,
  drop constraint email_channel_values_v1,
  drop constraint email_id_required_v2,
  add constraint email_subject_max_length check (char_length(subject) <= 80) not valid,
  add constraint email_order_id_present check (order_id is not null) not valid,
  add constraint email_subject_present check (subject is not null) not valid;

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
-- kept, order_id, subject, note, channel, id, reply_to
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, subject, note, channel, id, reply_to
;

create or replace function shop.email_extend(); -- interval '1 minute'

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, order_id, subject, note, channel, id, reply_to
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"order_id": "number", "subject": "string", "note": "string?", "channel": "string"}') is null, (p_payload ->> 'order_id')::integer, p_payload ->> 'subject', p_payload ->> 'note', (p_payload ->> 'channel')::shop.channel, char_length((p_payload ->> 'subject')) <= 80, ((p_payload ->> 'channel')::shop.channel) in ('email', 'sms')
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select case when m.contract_version = 1 then m.order_id when m.contract_version = 2 then m.id::integer end as order_id, m.subject as subject, m.note as note, m.channel as channel where (m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false));

create or replace function shop.email_pick_v1()
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.id between -2147483648 and 2147483647) is not false and d.subject is not null and (char_length(d.subject) <= 80) is not false and (d.channel in ('email', 'sms')) is not false))
;

create or replace function shop.email_claim_v1()
-- interval '1 minute', 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.id between -2147483648 and 2147483647) is not false and d.subject is not null and (char_length(d.subject) <= 80) is not false and (d.channel in ('email', 'sms')) is not false))
-- order_id integer = case when m.contract_version = 1 then m.order_id when m.contract_version = 2 then m.id::integer end or case when d.contract_version = 1 then d.order_id when d.contract_version = 2 then d.id::integer end
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- channel shop.channel = m.channel or d.channel
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.id between -2147483648 and 2147483647) is not false and d.subject is not null and (char_length(d.subject) <= 80) is not false and (d.channel in ('email', 'sms')) is not false))
-- order_id integer = case when m.contract_version = 1 then m.order_id when m.contract_version = 2 then m.id::integer end or case when d.contract_version = 1 then d.order_id when d.contract_version = 2 then d.id::integer end
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- channel shop.channel = m.channel or d.channel
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
-- kept, order_id, subject, note, channel
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject, note, channel
;

create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, order_id, subject, note, channel
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject, m.note as note, m.channel as channel where m.contract_version = 1;

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
-- note text = m.note or d.note
-- channel shop.channel = m.channel or d.channel
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id integer = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
-- channel shop.channel = m.channel or d.channel
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, 'f48bc6d68d54f8bf01e65bef6d437b6a097c4d30ac348e4638591cdfe2d8f40e')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.email_claim_v2()
-- interval '1 minute', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- id bigint = case when m.contract_version = 1 then m.order_id::bigint when m.contract_version = 2 then m.id end or case when d.contract_version = 1 then d.order_id::bigint when d.contract_version = 2 then d.id end
-- subject text = m.subject or d.subject
-- channel shop.channel = m.channel or d.channel
-- reply_to text = m.reply_to or d.reply_to
;

create function shop.email_claim_json_v2(); -- id -- subject -- channel -- reply_to

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- id bigint = case when m.contract_version = 1 then m.order_id::bigint when m.contract_version = 2 then m.id end or case when d.contract_version = 1 then d.order_id::bigint when d.contract_version = 2 then d.id end
-- subject text = m.subject or d.subject
-- channel shop.channel = m.channel or d.channel
-- reply_to text = m.reply_to or d.reply_to
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
from public;
grant execute on function
  shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
to mailer, courier;

-- reverse
do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false)))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false)))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.id between -2147483648 and 2147483647) is not false and m.subject is not null and (char_length(m.subject) <= 80) is not false and (m.channel in ('email', 'sms')) is not false)))
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
  p_id bigint,
  p_channel shop.channel,
  p_subject text default null,
  p_reply_to text default 'nobody',
  p_delay interval default null
)
-- id = p_id
-- subject = p_subject
-- channel = p_channel
-- reply_to = p_reply_to
;

create function shop.email_enqueue_many_v2()
-- id = t.id
-- subject = t.subject
-- channel = t.channel
-- reply_to = coalesce(t.reply_to, 'nobody')
;

create function shop.email_enqueue_json_v2()
-- '{"id": "number", "subject": "string?", "channel": "string", "reply_to": "string?"}'
-- p_id = (p_payload ->> 'id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_channel = (p_payload ->> 'channel')::shop.channel
-- p_reply_to = coalesce(p_payload ->> 'reply_to', 'nobody')
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, id, subject, channel, reply_to) on shop.email_message to web;

-- reverse
revoke insert (id, reply_to) on shop.email_message from web;
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at from ops;
revoke execute on function shop.email_redrive, shop.email_redrive_all, shop.email_purge, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.email_cancel_all from ops;
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
      and r.rolname in ('ops')
    group by r.rolname
  loop
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
  end loop;
end
$$;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer, courier;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id, subject, note, channel) on shop.email_message to web;

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
from public;
grant execute on function
  shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
to mailer, courier;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;
grant execute on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
to web;
grant insert (contract_version, id, subject, channel, reply_to) on shop.email_message to web;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to courier, mailer, web;
grant execute on function shop.quern_handshake to courier, mailer, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant insert on shop.email to web;
grant execute on function
  shop.email_claim_json,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer, courier;
grant select, update, delete on shop.email to mailer, courier;

-- reverse
revoke execute on function shop.email_claim_json, shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2 from courier;
revoke select, update, delete on shop.email from courier;

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
      and r.rolname in ('courier')
    group by r.rolname
  loop
    if v_role = 'courier' and 'queue_dequeue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_claim_json$') then
      revoke execute on function shop.queue_dequeue, shop.queue_ack, shop.quern_queue_of from courier;
    end if;
    if v_role = 'courier' and 'quern_worker_begin' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_extend$') then
      revoke execute on function shop.quern_worker_begin, shop.quern_worker_beat from courier;
    end if;
    if v_role = 'courier' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from courier;
      revoke usage on schema shop from courier;
    end if;
  end loop;
end
$$;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
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
grant insert (contract_version, order_id, subject, note, channel) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
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
  shop.email_cancel_all, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;
