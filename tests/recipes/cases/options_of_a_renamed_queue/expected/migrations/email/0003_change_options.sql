-- quern migration: email/0003_change_options
-- Changes queue mail: changes dead_letter; changes grants.operate; changes retry.max_attempts.
-- roles: courier, mailer, web

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v2 and older, after 3 attempts
;

create or replace function shop.email_nack()
-- v2 and older, after 3 attempts dropped, else delayed, order_id, recipient
;

create or replace function shop.mail_nack()
-- v2 and older, after 3 attempts dropped, else delayed, order_id, recipient
;

create or replace function shop.email_stats();

create or replace function shop.mail_stats();

create or replace function shop.email_peek();

create or replace function shop.mail_peek();

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 3 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.email_take_v1()
-- 3 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.mail_claim_v2()
-- interval '30 seconds', 3 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.mail_take_v2()
-- 3 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

-- reverse
create or replace function shop.email_bury()
-- v2 and older, after 8 attempts
-- kept, order_id, recipient
;

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, recipient
;

create or replace function shop.mail_nack()
-- v2 and older, after 8 attempts dead, else delayed, order_id, recipient
;

create or replace function shop.email_stats(); -- dead

create or replace function shop.mail_stats(); -- dead

create or replace function shop.email_peek(); -- dead

create or replace function shop.mail_peek(); -- dead

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
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

create or replace function shop.mail_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

create or replace function shop.mail_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- order_id bigint = m.order_id or d.order_id
-- recipient text = m.recipient or d.recipient
;

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at, shop.email_v2_produced_at, shop.email_v2_swept_at from ops;
revoke execute on function shop.email_redrive, shop.mail_redrive, shop.email_redrive_all, shop.mail_redrive_all, shop.email_purge, shop.mail_purge, shop.email_cancel, shop.mail_cancel, shop.email_peek, shop.mail_peek, shop.email_stats, shop.mail_stats, shop.email_pause, shop.mail_pause, shop.email_resume, shop.mail_resume, shop.email_cancel_all, shop.mail_cancel_all from ops;
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
grant select on sequence shop.email_v1_swept_at to courier;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to courier;

revoke all on function
  shop.email_pick_v2, shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
from public;
grant execute on function
  shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to courier;

revoke all on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
from public;
grant execute on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
to web;
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to courier;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
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
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_cancel_all, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to courier;
grant select on shop.email_message, shop.email_delayed to courier;
grant select on shop.quern_contract, shop.quern_client to courier;

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.mail_door
from public;
grant usage on schema shop to courier, mailer, web;
grant execute on function shop.quern_handshake to courier, mailer, web;
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
  shop.mail_cancel_all, shop.mail_cancel, shop.mail_peek, shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.quern_workers
to courier;
grant select on shop.email_message, shop.email_delayed to courier;
grant select on shop.quern_contract, shop.quern_client to courier;

-- reverse
revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at, shop.email_v2_produced_at, shop.email_v2_swept_at from courier;
revoke execute on function shop.email_cancel, shop.mail_cancel, shop.email_peek, shop.mail_peek, shop.email_stats, shop.mail_stats, shop.email_pause, shop.mail_pause, shop.email_resume, shop.mail_resume, shop.email_cancel_all, shop.mail_cancel_all from courier;
revoke select on shop.email_message, shop.email_delayed from courier;

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
    if v_role = 'courier' and 'quern_workers' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke execute on function shop.quern_workers from courier;
    end if;
    if v_role = 'courier' and 'quern_contract' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke select on shop.quern_contract, shop.quern_client from courier;
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
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

revoke all on function
  shop.email_pick_v2, shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
from public;
grant execute on function
  shop.mail_claim_v2, shop.mail_claim_json_v2, shop.mail_take_v2, shop.mail_next_due_v2
to mailer;
grant select on sequence shop.email_v2_swept_at to ops;

revoke all on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
from public;
grant execute on function
  shop.mail_wake_v2, shop.mail_enqueue_v2, shop.mail_enqueue_many_v2, shop.mail_enqueue_json_v2
to web;
grant insert (contract_version, order_id, recipient) on shop.email_message to web;
grant select on sequence shop.email_v2_produced_at to ops;

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

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge,
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
  shop.mail_cancel_all, shop.mail_cancel, shop.mail_peek, shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.quern_workers
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
drop function shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge;

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
-- v2 and older, order_id, recipient
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

create function shop.mail_redrive_all()
-- v2 and older, order_id, recipient
;
create function shop.mail_redrive();

create function shop.mail_purge();

revoke all on function
  shop.email_wake, shop.mail_enqueue_json, shop.mail_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.mail_ack, shop.mail_ack_many, shop.mail_nack, shop.mail_extend, shop.mail_release, shop.email_attempt, shop.mail_cancel, shop.mail_cancel_all, shop.mail_peek,
  shop.mail_redrive, shop.mail_redrive_all, shop.mail_purge,
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
  shop.mail_cancel_all, shop.mail_cancel, shop.mail_peek, shop.mail_stats, shop.mail_pause, shop.mail_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;
