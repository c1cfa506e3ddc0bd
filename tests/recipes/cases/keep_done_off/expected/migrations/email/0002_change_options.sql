-- quern migration: email/0002_change_options
-- Changes queue email: changes dead_letter; changes keep_done.
-- roles: mailer, ops, web

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
;

create or replace function shop.email_ack();

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dropped, else delayed, order_id, subject
;

create or replace function shop.email_stats();

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version = 1;

create or replace function shop.email_peek();

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

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject
-- told
;

create or replace function shop.email_ack(); -- done

create or replace function shop.email_ack_many(); -- done v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject
;

create or replace function shop.email_stats(); -- dead

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version = 1; -- done (select to_jsonb(payload.*) from (select m.order_id, m.subject) as payload)

create or replace function shop.email_peek(); -- dead

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- clears away
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
-- done: (select to_jsonb(payload.*) from (select m.order_id, m.subject) as payload) or (select to_jsonb(payload.*) from (select d.order_id, d.subject) as payload)
;

-- step: settle_before_drop_done
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

-- step: drop_done
-- lock: access exclusive on the archive of handled messages
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

do $$
begin
  if exists (select from shop.email_done) then
    raise exception using
      errcode = 'QN008',
      message = 'queue "email" keeps handled messages',
      hint = 'They go when they are old enough, or with shop.email_forget_done().';
  end if;
end
$$;

drop function shop.email_ack_result, shop.email_ack_results, shop.email_await, shop.email_await_end, shop.email_result, shop.email_done, shop.email_done_count, shop.email_forget_done;
drop function shop.email_maintain, shop.email_truncate_done, shop.email_tell;
drop table shop.email_done;
drop sequence shop.email_done_segment, shop.email_done_rotated_at, shop.email_maintained_at;

-- reverse
-- Hints that are written at once and roll back with nobody: the segment of the archive that is filled, since when, and when
-- it was last looked whether there is something to clear away.
create sequence shop.email_done_segment as bigint minvalue 0;
create sequence shop.email_done_rotated_at as bigint minvalue 0;
create sequence shop.email_maintained_at as bigint minvalue 0;
select setval('shop.email_done_segment', 0), setval('shop.email_done_rotated_at', floor(extract(epoch from clock_timestamp()))::bigint);

-- The archive of handled messages: only ever inserted into, and emptied by TRUNCATE, a segment at a time. The payload is JSON
-- in the words of the contract that wrote it, so that contracts come and go without it.
create table shop.email_done (
  segment smallint not null default pg_sequence_last_value('shop.email_done_segment'),
  message_id bigint not null,
  attempt integer not null,
  contract_version smallint not null,
  enqueued_at timestamptz not null,
  done_at timestamptz not null default clock_timestamp(),
  payload jsonb not null,
  result jsonb
) partition by list (segment);
comment on table shop.email_done is 'Messages of queue email that were handled.';
comment on column shop.email_done.result is 'What the consumer gave back when it acknowledged the message.';
create table shop.email_done_0 partition of shop.email_done (
  constraint email_done_0_key primary key (message_id)
) for values in (0);
create index email_done_0_at on shop.email_done_0 (done_at, message_id);
create table shop.email_done_1 partition of shop.email_done (
  constraint email_done_1_key primary key (message_id)
) for values in (1);
create index email_done_1_at on shop.email_done_1 (done_at, message_id);
create table shop.email_done_2 partition of shop.email_done (
  constraint email_done_2_key primary key (message_id)
) for values in (2);
create index email_done_2_at on shop.email_done_2 (done_at, message_id);
create table shop.email_done_3 partition of shop.email_done (
  constraint email_done_3_key primary key (message_id)
) for values in (3);
create index email_done_3_at on shop.email_done_3 (done_at, message_id);
create table shop.email_done_4 partition of shop.email_done (
  constraint email_done_4_key primary key (message_id)
) for values in (4);
create index email_done_4_at on shop.email_done_4 (done_at, message_id);

create function shop.email_tell(); -- 'shop.email.done'
create function shop.email_truncate_done(); -- interval '168 hours'
create function shop.email_maintain(); -- interval '168 hours'

create function shop.email_ack_results() -- v1 and older
-- (select to_jsonb(payload.*) from (select m.order_id, m.subject) as payload)
;
create function shop.email_ack_result();

create function shop.email_result(); -- interval '168 hours', dead
create function shop.email_await(); -- shop.email.done
create function shop.email_await_end();

create function shop.email_done(); -- interval '168 hours'
create function shop.email_done_count();
create function shop.email_forget_done();

revoke all on function
  shop.email_tell, shop.email_truncate_done, shop.email_maintain, shop.email_ack_results, shop.email_ack_result,
  shop.email_result, shop.email_await, shop.email_await_end, shop.email_done, shop.email_done_count, shop.email_forget_done
from public;
grant execute on function shop.email_result, shop.email_await, shop.email_await_end to web;
grant execute on function shop.email_ack_results, shop.email_ack_result, shop.email_maintain to mailer;
grant execute on function
  shop.email_result, shop.email_done, shop.email_done_count, shop.email_forget_done, shop.email_maintain
to ops;
grant select on shop.email_done to ops;

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
  constraint email_dead_key primary key (message_id)
);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';

create function shop.email_redrive_all()
-- v1 and older, order_id, subject
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
