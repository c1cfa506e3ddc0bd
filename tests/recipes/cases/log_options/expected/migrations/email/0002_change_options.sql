-- quern migration: email/0002_change_options
-- Changes queue email: changes dead_letter; changes grants.consume; changes grants.operate; changes grants.produce; changes lease; changes retry.max_attempts.
-- roles: Web-App, courier

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 3 attempts
;

create or replace function shop.email_nack()
-- v1 and older, after 3 attempts dropped, else delayed, order_id, subject, note
;

create or replace function shop.email_extend(); -- interval '1 minute'

create or replace function shop.email_stats();

create or replace function shop.email_peek();

create or replace function shop.email_claim_v1()
-- interval '1 minute', 3 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create or replace function shop.email_take_v1()
-- 3 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject, note
;

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject, note
;

create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_stats(); -- dead

create or replace function shop.email_peek(); -- dead

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

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1 from web;
revoke insert (contract_version, order_id, subject, note) on shop.email_message from web;
revoke usage on sequence shop.email_message_id from web;
revoke select on sequence shop.email_segment from web;
revoke insert on shop.email from web;
revoke execute on function shop.email_claim_json, shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_maintain, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1 from mailer;
revoke select, update, delete on shop.email from mailer;
revoke select on sequence shop.email_v1_produced_at, shop.email_v1_swept_at from ops;
revoke execute on function shop.email_redrive, shop.email_redrive_all, shop.email_purge, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.email_maintain, shop.email_restored from ops;
revoke select on shop.email_message, shop.email_claim, shop.email_end, shop.email_live, shop.email_delayed, shop.email_dead from ops;

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
      and r.rolname in ('mailer', 'ops', 'web')
    group by r.rolname
  loop
    if v_role = 'mailer' and 'queue_dequeue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_claim_json$') then
      revoke execute on function shop.queue_dequeue, shop.queue_ack, shop.quern_queue_of from mailer;
    end if;
    if v_role = 'mailer' and 'quern_worker_begin' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_extend$') then
      revoke execute on function shop.quern_worker_begin, shop.quern_worker_beat from mailer;
    end if;
    if v_role = 'mailer' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from mailer;
      revoke usage on schema shop from mailer;
    end if;
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
    if v_role = 'web' and 'queue_enqueue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_enqueue_json$') then
      revoke execute on function shop.queue_enqueue from web;
    end if;
    if v_role = 'web' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from web;
      revoke usage on schema shop from web;
    end if;
  end loop;
end
$$;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to courier;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to "Web-App";
grant insert (contract_version, order_id, subject, note) on shop.email_message to "Web-App";

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_home, shop.email_cursor, shop.email_begin_log, shop.email_finish, shop.email_set_apart, shop.email_wait_for_log, shop.email_free,
  shop.email_next, shop.email_claimed_after, shop.email_truncate, shop.email_rotate, shop.email_compact, shop.email_maintain, shop.email_restored,
  shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_peek,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to "Web-App", courier;
grant execute on function shop.quern_handshake to "Web-App", courier;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to "Web-App";
grant usage on sequence shop.email_message_id to "Web-App";
grant select on sequence shop.email_segment to "Web-App";
grant insert on shop.email to "Web-App";
grant execute on function
  shop.email_claim_json, shop.email_maintain,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to courier;
grant select, update, delete on shop.email to courier;

-- reverse
revoke execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1 from "Web-App";
revoke insert (contract_version, order_id, subject, note) on shop.email_message from "Web-App";
revoke usage on sequence shop.email_message_id from "Web-App";
revoke select on sequence shop.email_segment from "Web-App";
revoke insert on shop.email from "Web-App";
revoke execute on function shop.email_claim_json, shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_maintain, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1 from courier;
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
      and r.rolname in ('Web-App', 'courier')
    group by r.rolname
  loop
    if v_role = 'Web-App' and 'queue_enqueue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_enqueue_json$') then
      revoke execute on function shop.queue_enqueue from "Web-App";
    end if;
    if v_role = 'Web-App' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from "Web-App";
      revoke usage on schema shop from "Web-App";
    end if;
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
grant insert (contract_version, order_id, subject, note) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_home, shop.email_cursor, shop.email_begin_log, shop.email_finish, shop.email_set_apart, shop.email_wait_for_log, shop.email_free,
  shop.email_next, shop.email_claimed_after, shop.email_truncate, shop.email_rotate, shop.email_compact, shop.email_maintain, shop.email_restored,
  shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant select on sequence shop.email_segment to web;
grant insert on shop.email to web;
grant execute on function
  shop.email_claim_json, shop.email_maintain,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_maintain, shop.email_restored, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_claim, shop.email_end, shop.email_live, shop.email_delayed, shop.email_dead to ops;
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
      message = 'queue "email" holds dead letters',
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
  subject text not null,
  note text,
  constraint email_dead_key primary key (message_id)
);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';

create function shop.email_redrive_all()
-- v1 and older, order_id, subject, note
;
create function shop.email_redrive();

create function shop.email_purge();

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_home, shop.email_cursor, shop.email_begin_log, shop.email_finish, shop.email_set_apart, shop.email_wait_for_log, shop.email_free,
  shop.email_next, shop.email_claimed_after, shop.email_truncate, shop.email_rotate, shop.email_compact, shop.email_maintain, shop.email_restored,
  shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_stats, shop.email_pause, shop.email_resume, shop.email_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.email_wake, shop.email_enqueue_json, shop.email_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.email_message_id to web;
grant select on sequence shop.email_segment to web;
grant insert on shop.email to web;
grant execute on function
  shop.email_claim_json, shop.email_maintain,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.email to mailer;
grant execute on function
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_maintain, shop.email_restored, shop.email_cancel, shop.email_peek, shop.email_stats, shop.email_pause, shop.email_resume, shop.quern_workers
to ops;
grant select on shop.email_message, shop.email_claim, shop.email_end, shop.email_live, shop.email_delayed, shop.email_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;
