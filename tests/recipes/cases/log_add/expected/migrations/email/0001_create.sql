-- quern migration: email/0001_create
-- Creates queue email: its tables, its functions for contract v1 and the rights on them.
-- roles: mailer, ops, web

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'email', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.email_message_id as bigint;

do $$
begin
  perform setval('shop.email_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'email';
end
$$;

-- Hints that are written at once and roll back with nobody: the segment that producers fill, since when, and when it was
-- last looked whether there is something to clear away.
create sequence shop.email_segment as bigint minvalue 0;
create sequence shop.email_rotated_at as bigint minvalue 0;
create sequence shop.email_maintained_at as bigint minvalue 0;
create sequence shop.email_claim_id as bigint;
select setval('shop.email_segment', 0), setval('shop.email_rotated_at', floor(extract(epoch from clock_timestamp()))::bigint);

-- The log of messages that were never tried: only ever inserted into, and emptied by TRUNCATE, a segment at a time. What
-- has a time, or is tried again, is copied to email_delayed. The stamp is the transaction, by which messages are found
-- when it has ended.
create table shop.email_message (
  segment smallint not null default pg_sequence_last_value('shop.email_segment'),
  stamp xid8 not null default pg_current_xact_id(),
  message_id bigint not null default nextval('shop.email_message_id'),
  enqueued_at timestamptz not null default now(),
  contract_version smallint not null,
  order_id bigint not null,
  subject text not null,
  note text,
  constraint email_subject_max_length check (char_length(subject) <= 80),
  constraint email_contract_version_known check (contract_version = 1)
) partition by list (segment);
comment on table shop.email_message is 'Mail that has to be sent.';
create table shop.email_message_0 partition of shop.email_message (
  constraint email_message_0_key primary key (stamp, message_id)
) for values in (0);
create table shop.email_message_1 partition of shop.email_message (
  constraint email_message_1_key primary key (stamp, message_id)
) for values in (1);
create table shop.email_message_2 partition of shop.email_message (
  constraint email_message_2_key primary key (stamp, message_id)
) for values in (2);
create table shop.email_message_3 partition of shop.email_message (
  constraint email_message_3_key primary key (stamp, message_id)
) for values in (3);
create table shop.email_message_4 partition of shop.email_message (
  constraint email_message_4_key primary key (stamp, message_id)
) for values in (4);

-- What was handed out of the log: some messages, until when. The newest row says how far all was handed out, and which claims
-- were open then: the others need not be looked at. In the order (stamp, message_id) all is handed out up to
-- (passed_stamp, passed_id) of what had ended in the snapshot `hi` and had not in `lo`, and all that had ended in `lo`. A
-- snapshot is kept as the first transaction id that had not begun (next) and those before it that had not ended (running).
create table shop.email_claim (
  claim_id bigint not null,
  message_ids bigint[] not null,
  stamps xid8[] not null,
  message_count integer not null,
  first_id bigint,
  last_id bigint,
  lease_until timestamptz not null,
  quern_session bigint,
  open_claims bigint[] not null,
  lo_next xid8 not null,
  lo_running xid8[] not null,
  hi_next xid8 not null,
  hi_running xid8[] not null,
  passed_stamp xid8 not null,
  passed_id bigint not null,
  drawn_id bigint not null,
  home bigint not null,
  constraint email_claim_key primary key (claim_id)
);
comment on table shop.email_claim is 'What was handed out of the log of queue email: rows are only ever inserted.';
comment on column shop.email_claim.drawn_id is 'Messages with a greater id were enqueued after this claim.';
comment on column shop.email_claim.home is 'Where these transaction ids are from: see email_home.';

-- The ends of what a claim handed out: of a message, or with 0 of all that is left. The key lets each end once.
create table shop.email_end (
  claim_id bigint not null,
  message_id bigint not null,
  constraint email_end_key primary key (claim_id, message_id)
);
comment on table shop.email_end is 'Messages of a claim that are done, or were set apart into email_delayed; 0: all that were left.';

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.email_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.email_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  subject text not null,
  note text,
  constraint email_delayed_key primary key (message_id),
  constraint email_subject_max_length check (char_length(subject) <= 80),
  constraint email_contract_version_known check (contract_version = 1)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index email_delayed_due on shop.email_delayed (due_at, message_id);
comment on table shop.email_delayed is 'Messages of queue email that are delayed or were tried before.';

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

create function shop.email_wake();

create function shop.email_free_dead(); -- 1 1 log

create function shop.email_advance_low_water();

create view shop.email_waiting as select;
create view shop.email_held as select;
create view shop.email_live as select;
create function shop.email_home();
create function shop.email_cursor();
create function shop.email_begin_log();

select shop.email_begin_log();

create function shop.email_finish()
-- v1 and older: set apart into delayed, order_id, subject, note
;
create function shop.email_set_apart()
-- v1 and older: into delayed, order_id, subject, note
;

create function shop.email_wait_for_log();
create function shop.email_free();
create function shop.email_next()
-- v1 and older
;
create function shop.email_claimed_after();

create function shop.email_truncate();
create function shop.email_rotate();
create function shop.email_compact();
create function shop.email_maintain();
create function shop.email_restored()
-- v1 and older: into delayed, order_id, subject, note
;

create function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject, note
;

create sequence shop.email_v1_swept_at as bigint minvalue 0;
create sequence shop.email_v1_produced_at as bigint minvalue 0;
comment on sequence shop.email_v1_swept_at is 'When a consumer last used contract v1, in milliseconds since 1970, to the second.';
comment on sequence shop.email_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 1, 'bc474bb4a32c435dcc2a70a3fb72a318297a0ae929192d65c9d919e6b8b8d409')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create function shop.email_claim_json_v1(); -- order_id -- subject -- note

create function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- note text = m.note or d.note
;

create function shop.email_next_due_v1();

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

create function shop.email_wake_v1();

create function shop.email_enqueue_v1(
  p_order_id bigint,
  p_subject text,
  p_note text default null,
  p_delay interval default null
)
-- order_id = p_order_id
-- subject = p_subject
-- note = p_note
;

create function shop.email_enqueue_many_v1()
-- order_id = t.order_id
-- subject = t.subject
-- note = t.note
;

create function shop.email_enqueue_json_v1()
-- '{"order_id": "number", "subject": "string", "note": "string?"}'
-- p_order_id = (p_payload ->> 'order_id')::bigint
-- p_subject = p_payload ->> 'subject'
-- p_note = p_payload ->> 'note'
;

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id, subject, note) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

create function shop.email_ack();

create function shop.email_ack_many(); -- v1

create function shop.email_retry_delay(); -- least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())

create function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject, note
;

create function shop.email_extend(); -- interval '30 seconds'

create function shop.email_release(); -- v1

create function shop.email_attempt();

create function shop.email_cancel(); -- log

create function shop.email_peek(); -- dead

create function shop.email_redrive_all()
-- v1 and older, order_id, subject, note
;
create function shop.email_redrive();

create function shop.email_purge();

create function shop.email_stats(); -- dead

create function shop.email_pause();

create function shop.email_enqueue_json()
-- v1 else
;
create function shop.email_claim_json(); -- v1

create view shop.email as select m.order_id as order_id, m.subject as subject, m.note as note where m.contract_version = 1;

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

-- reverse
lock table shop.email_message, shop.email_claim, shop.email_end, shop.email_delayed, shop.email_dead in access exclusive mode;

do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where true
    union all
    select m.message_id from shop.email_delayed as m where true
    union all
    select m.message_id from shop.email_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.email;
drop function
  shop.email_enqueue_json_v1, shop.email_enqueue_many_v1, shop.email_enqueue_v1, shop.email_wake_v1,
  shop.email_claim_json_v1, shop.email_claim_v1, shop.email_take_v1, shop.email_pick_v1, shop.email_next_due_v1,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json, shop.email_door,
  shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_peek,
  shop.email_restored, shop.email_maintain, shop.email_compact, shop.email_rotate, shop.email_truncate, shop.email_claimed_after, shop.email_next, shop.email_free,
  shop.email_wait_for_log, shop.email_set_apart, shop.email_finish, shop.email_begin_log,
  shop.email_stats, shop.email_pause, shop.email_resume;
drop function shop.email_cursor, shop.email_home;
drop view shop.email_live, shop.email_held, shop.email_waiting;
drop table shop.email_message, shop.email_claim, shop.email_end, shop.email_delayed, shop.email_dead;
drop sequence shop.email_message_id, shop.email_segment, shop.email_rotated_at, shop.email_maintained_at, shop.email_claim_id;
drop sequence shop.email_v1_swept_at, shop.email_v1_produced_at;
delete from shop.quern_contract where queue = 'email';
delete from shop.quern_client where queue = 'email';
delete from shop.quern_queue where queue = 'email';

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
