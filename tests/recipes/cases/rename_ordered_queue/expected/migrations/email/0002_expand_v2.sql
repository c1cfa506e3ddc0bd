-- quern migration: email/0002_expand_v2
-- Changes queue email: renames the queue "email" to "mail".
-- roles: mailer, ops, web

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
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2', v_count,
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

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_free_dead(); -- 1, 2 2 ordered

create or replace function shop.email_bury()
-- v2 and older, after 2 attempts
-- kept, order_id, recipient
-- blocking
;

create or replace function shop.email_start()
-- v2 and older: from messages to delayed, order_id, recipient
;
create or replace function shop.email_park()
-- v2 and older: from delayed to messages, order_id, recipient
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 2 attempts dead, else delayed, order_id, recipient
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, order_id, recipient
;
create or replace function shop.email_redrive();

create or replace view shop.email as select m.order_id as order_id, m.recipient as recipient where m.contract_version in (1, 2);

create or replace function shop.email_pick_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0), hashint8extended(e.order_id, 0)
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 2 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- in order
;

create or replace function shop.email_take_v1()
-- 2 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
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
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Consumers of older contracts go on to handle those that they can read: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

create or replace function shop.email_free_dead(); -- 1 1 ordered

create or replace function shop.email_bury()
-- v1 and older, after 2 attempts
-- kept, order_id, recipient
-- blocking
;

create or replace function shop.email_start()
-- v1 and older: from messages to delayed, order_id, recipient
;
create or replace function shop.email_park()
-- v1 and older: from delayed to messages, order_id, recipient
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 2 attempts dead, else delayed, order_id, recipient
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, order_id, recipient
;
create or replace function shop.email_redrive();

create or replace view shop.email as select m.order_id as order_id, m.recipient as recipient where m.contract_version = 1;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
;

create or replace function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create or replace function shop.email_pick_heads_v1()
-- by hashint8extended(m.order_id, 0), hashint8extended(d.order_id, 0), hashint8extended(e.order_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 2 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- in order
;

create or replace function shop.email_take_v1()
-- 2 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- in order
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('mail', 2, '4d8c093ce4e2e8a62cd0df93f33089e3251809b5616d825a706cedd0860ffe7d')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- where neither hashint8extended(m.order_id, 0) nor hashint8extended(d.order_id, 0)
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

create function shop.mail_claim_v2()
-- interval '30 seconds', 2 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- in order
;

create function shop.mail_claim_json_v2(); -- order_id -- recipient

create function shop.mail_take_v2()
-- 2 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
-- in order
;

create function shop.mail_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2
from public;
grant execute on function
  shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to ops;

create function shop.mail_ack();

create function shop.mail_ack_many(); -- v1,  v2

create function shop.mail_nack()
-- v2 and older, after 2 attempts dead, else delayed, order_id, recipient
;

create function shop.mail_extend(); -- interval '30 seconds'

create function shop.mail_release(); -- v1 v2

create function shop.mail_redrive_all()
-- v2 and older, order_id, recipient
;
create function shop.mail_redrive();

create function shop.mail_purge();

create function shop.mail_blocked()
-- order_id by hashint8extended(e.order_id, 0)
;

create function shop.mail_stats(); -- dead

create function shop.mail_pause();

create function shop.mail_enqueue_json()
-- v2 else
;
create function shop.mail_claim_json(); -- v2

create view shop.mail as select m.order_id as order_id, m.recipient as recipient where m.contract_version in (1, 2);

create function shop.mail_cancel(); -- ordered
create function shop.mail_cancel_all();

create function shop.mail_peek(); -- dead

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next,
  shop.mail_blocked,
  shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.mail_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.email_wake, shop.mail_enqueue_json, shop.mail_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant insert on shop.mail to web;
grant execute on function
  shop.mail_claim_json,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.mail to mailer;
grant execute on function
  shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge,
  shop.mail_blocked,
  shop.mail_cancel_all, shop.mail_cancel, shop.mail_peek, shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

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
      message = pg_catalog.format('%s %s of queue "mail" %s in contract v2 that no older contract can read', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop view shop.mail;
drop function
  shop.mail_blocked,
  shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge,
  shop.mail_enqueue_json, shop.mail_claim_json, shop.mail_door,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_stats, shop.mail_pause, shop.mail_resume;

drop function shop.mail_claim_json_v2, shop.mail_claim_v2, shop.mail_take_v2, shop.email_pick_v2, shop.mail_next_due_v2,
  shop.email_lock_heads_v2, shop.email_pick_heads_v2;

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
  p_order_id bigint,
  p_recipient text,
  p_delay interval default null
)
-- order_id = p_order_id
-- recipient = p_recipient
;

create function shop.mail_enqueue_many_v2()
-- order_id = t.order_id
-- recipient = t.recipient
;

create function shop.mail_enqueue_json_v2()
-- '{"order_id": "number", "recipient": "string"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_recipient = p_payload ->> 'recipient'
;

revoke all on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
from public;
grant execute on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
to web;
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

-- reverse
drop function shop.mail_enqueue_json_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_v2, shop.mail_wake_v2;
