-- quern migration: email/0002_expand_v2
-- Changes queue email: renames the queue "email" to "mail"; renames the field "order_id" to "number"; adds the field "subject"; changes dead_letter; changes doc; changes grants.operate; changes grants.produce; changes lease.
-- roles: Web-App, mailer, web

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
  add column subject text default '' not null;
alter table shop.email_delayed
  add column subject text default '' not null;

-- reverse
alter table shop.email_message
  drop column subject;
alter table shop.email_delayed
  drop column subject;

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
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2', v_count,
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

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_free_dead(); -- 1, 2 2

create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dropped, else delayed, order_id, recipient, subject
;

create or replace function shop.email_extend(); -- interval '1 minute'

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_stats();

create or replace view shop.email as select m.order_id as order_id, m.recipient as recipient where m.contract_version in (1, 2);

create or replace function shop.email_peek();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create or replace function shop.email_claim_v1()
-- interval '1 minute', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

comment on table shop.email_message is 'Mail of all kinds.';

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
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

create or replace function shop.email_free_dead(); -- 1 1

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, recipient
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, recipient
;

create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_release(); -- v1

create or replace function shop.email_stats(); -- dead

create or replace view shop.email as select m.order_id as order_id, m.recipient as recipient where m.contract_version = 1;

create or replace function shop.email_peek(); -- dead

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

comment on table shop.email_message is 'Transactional mail.';

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('mail', 2, 'eee737441d92b9cfe6a5a9f988f9d336b69c2c3f52688b76865b8d460f4762ac')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.mail_claim_v2()
-- interval '1 minute', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- number bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- subject text = m.subject or d.subject
;

create function shop.mail_claim_json_v2(); -- number -- recipient -- subject

create function shop.mail_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- number bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- subject text = m.subject or d.subject
;

create function shop.mail_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
from public;
grant execute on function
  shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
to mailer;

create function shop.mail_ack();

create function shop.mail_ack_many(); -- v1,  v2

create function shop.mail_nack()
-- v2 and older, after 8 attempts dropped, else delayed, order_id, recipient, subject
;

create function shop.mail_extend(); -- interval '1 minute'

create function shop.mail_release(); -- v1 v2

create function shop.mail_stats();

create function shop.mail_pause();

create function shop.mail_enqueue_json()
-- v2 else
;
create function shop.mail_claim_json(); -- v2

create view shop.mail as select m.order_id as number, m.recipient as recipient, m.subject as subject where m.contract_version in (1, 2);

create function shop.mail_cancel();
create function shop.mail_cancel_all();

create function shop.mail_peek();

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.mail_door
from public;
grant usage on schema shop to "Web-App", mailer, web;
grant execute on function shop.quern_handshake to "Web-App", mailer, web;
grant execute on function shop.email_wake, shop.mail_enqueue_json, shop.mail_cancel, shop.queue_enqueue to web, "Web-App";
grant usage on sequence shop.email_message_id to web, "Web-App";
grant insert on shop.mail to web, "Web-App";
grant execute on function
  shop.mail_claim_json,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.mail to mailer;

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
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2 that no older contract can read', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop view shop.mail;
drop function
  shop.mail_enqueue_json, shop.mail_claim_json, shop.mail_door,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_stats, shop.mail_pause, shop.mail_resume;

drop function shop.mail_claim_json_v2, shop.mail_claim_v2, shop.mail_take_v2, shop.email_pick_v2, shop.mail_next_due_v2;

delete from shop.quern_contract
where queue = 'mail'
  and version = 2;

-- step: producers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.mail_wake_v2();

create function shop.mail_enqueue_v2(
  p_number bigint,
  p_recipient text,
  p_subject text default '',
  p_delay interval default null
)
-- order_id = p_number
-- recipient = p_recipient
-- subject = p_subject
;

create function shop.mail_enqueue_many_v2()
-- order_id = t.number
-- recipient = t.recipient
-- subject = coalesce(t.subject, '')
;

create function shop.mail_enqueue_json_v2()
-- '{"number": "number", "recipient": "string", "subject": "string?"}'
-- p_number = (p_payload ->> 'number')::bigint
-- p_recipient = p_payload ->> 'recipient'
-- p_subject = coalesce(p_payload ->> 'subject', '')
;

revoke all on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
from public;
grant execute on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
to web, "Web-App";
grant insert (contract_version, order_id, recipient, subject) on shop.email_message to web, "Web-App";

-- reverse
revoke insert (subject) on shop.email_message from web, "Web-App";
drop function shop.mail_enqueue_json_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_v2, shop.mail_wake_v2;

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
to mailer;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web, "Web-App";
grant insert (contract_version, order_id, recipient) on shop.email_message to web, "Web-App";

revoke all on function
  shop.email_pick_v2, shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
from public;
grant execute on function
  shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
to mailer;

revoke all on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
from public;
grant execute on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
to web, "Web-App";
grant insert (contract_version, order_id, recipient, subject) on shop.email_message to web, "Web-App";

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to "Web-App", mailer, web;
grant execute on function shop.quern_handshake to "Web-App", mailer, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web, "Web-App";
grant usage on sequence shop.email_message_id to web, "Web-App";
grant insert on shop.email to web, "Web-App";
grant execute on function
  shop.email_claim_json,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.mail_door
from public;
grant usage on schema shop to "Web-App", mailer, web;
grant execute on function shop.quern_handshake to "Web-App", mailer, web;
grant execute on function shop.email_wake, shop.mail_enqueue_json, shop.mail_cancel, shop.queue_enqueue to web, "Web-App";
grant usage on sequence shop.email_message_id to web, "Web-App";
grant insert on shop.mail to web, "Web-App";
grant execute on function
  shop.mail_claim_json,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.mail to mailer;

-- reverse
revoke execute on function shop.email_wake, shop.email_enqueue_json, shop.mail_enqueue_json, shop.email_cancel, shop.mail_cancel, shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1, shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2 from "Web-App";
revoke insert (contract_version, order_id, recipient, subject) on shop.email_message from "Web-App";
revoke usage on sequence shop.email_message_id from "Web-App";
revoke insert on shop.email, shop.mail from "Web-App";

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
      and r.rolname in ('Web-App')
    group by r.rolname
  loop
    if v_role = 'Web-App' and 'queue_enqueue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_enqueue_json$') then
      revoke execute on function shop.queue_enqueue from "Web-App";
    end if;
    if v_role = 'Web-App' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from "Web-App";
      revoke usage on schema shop from "Web-App";
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
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
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

-- step: settle_before_drop
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

-- step: drop_dead_letters
-- lock: access exclusive on the dead letters
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

do $$
begin
  if exists (select from shop.email_dead) then
    raise exception using
      errcode = 'QN008',
      message = 'queue "mail" holds dead letters',
      hint = 'Redrive or purge them first.';
  end if;
end
$$;

drop function shop.email_redrive, shop.email_redrive_all, shop.email_purge;

drop table shop.email_dead;

-- reverse
create table shop.email_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  recipient text not null,
  constraint email_dead_key primary key (message_id)
);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';

create function shop.email_redrive_all()
-- v1 and older, order_id, recipient
;
create function shop.email_redrive();

create function shop.email_purge();

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
