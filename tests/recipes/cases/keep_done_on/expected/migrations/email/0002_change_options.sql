-- quern migration: email/0002_change_options
-- Changes queue email: changes keep_done.
-- roles: mailer, ops, web

-- step: done
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

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

-- reverse
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

-- step: settle_done
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

create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject
-- told
;

create or replace function shop.email_ack(); -- done

create or replace function shop.email_ack_many(); -- done v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version = 1; -- done (select to_jsonb(payload.*) from (select m.order_id, m.subject) as payload)

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

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject
;

create or replace function shop.email_ack();

create or replace function shop.email_ack_many(); -- v1

create or replace view shop.email as select m.order_id as order_id, m.subject as subject where m.contract_version = 1;

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
