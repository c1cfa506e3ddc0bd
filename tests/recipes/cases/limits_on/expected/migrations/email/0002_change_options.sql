-- quern migration: email/0002_change_options
-- Changes queue email: changes concurrency.key; changes concurrency.per_key; changes concurrency.queue; changes rate.burst; changes rate.count; changes rate.per.
-- roles: mailer, ops, web

-- step: index_message_by_customer_id
-- lock: share update exclusive on shop.email_message; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_message_by_customer_id on shop.email_message (hashint8extended(customer_id, 0), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_message_by_customer_id')
  and x.indrelid = pg_catalog.to_regclass('shop.email_message');

-- cleanup
drop index concurrently if exists shop.email_message_by_customer_id;

-- reverse
drop index concurrently if exists shop.email_message_by_customer_id;

-- step: index_delayed_by_customer_id
-- lock: share update exclusive on shop.email_delayed; waits until older transactions have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

create index concurrently email_delayed_by_customer_id on shop.email_delayed (hashint8extended(customer_id, 0), (lease_until = '-infinity'), message_id);

-- probe
select x.indisvalid
from pg_catalog.pg_index as x
where x.indexrelid = pg_catalog.to_regclass('shop.email_delayed_by_customer_id')
  and x.indrelid = pg_catalog.to_regclass('shop.email_delayed');

-- cleanup
drop index concurrently if exists shop.email_delayed_by_customer_id;

-- reverse
drop index concurrently if exists shop.email_delayed_by_customer_id;

-- step: order
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- Claims go round all keys, so that none of them waits behind another's backlog: each begins where the one before it
-- stopped. A sequence as the other hints: wrong it costs a key its turn, never a message.
create sequence shop.email_turn as bigint minvalue -9223372036854775808;
comment on sequence shop.email_turn is 'The key, as its hash, up to which the last claim has looked.';

create function shop.email_head(p_key bigint)
-- of messages hashint8extended(m.customer_id, 0), delayed hashint8extended(d.customer_id, 0), 2 at once
;

create function shop.email_start()
-- v1 and older: from messages to delayed, customer_id, subject
;
create function shop.email_park()
-- v1 and older: from delayed to messages, customer_id, subject
;

create function shop.email_wake_next()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0)
;

create function shop.email_lock_heads_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;
create function shop.email_pick_heads_v1()
-- 2 at once
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0)
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1,
  shop.email_lock_heads_v1, shop.email_pick_heads_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next,
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

-- reverse
drop function
  shop.email_lock_heads_v1, shop.email_pick_heads_v1,
  shop.email_head, shop.email_start, shop.email_park, shop.email_wake_next;
drop sequence shop.email_turn;

-- step: settle_order
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

-- step: limits
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create table shop.email_place (
  place integer not null,
  generation bigint not null,
  message_id bigint not null,
  attempt integer not null,
  taken_by xid8,
  constraint email_place_key primary key (place, generation)
);
create sequence shop.email_place_turn as bigint minvalue 0;

create function shop.email_holder();
create function shop.email_surplus()
-- beyond 20
;
create function shop.email_free_places()
-- 0 to 19
;
create function shop.email_hold_places();
create function shop.email_fill_places();

create sequence shop.email_rate_clock as bigint minvalue 0;

create function shop.email_draw()
-- every 10000000, 100000000 ahead
;
create function shop.email_left_of_rate();

create function shop.email_share_key()
-- 2
;
create function shop.email_note_taken()
-- by hashint8extended(m.customer_id, 0), hashint8extended(d.customer_id, 0)
;

create function shop.email_allowed()
-- places rate
;
create function shop.email_admit()
-- of v1
;
create function shop.email_open_at()
-- places in interval '10 milliseconds'
;

create function shop.email_limits()
-- 20 100 per interval '1 second', 10 at once
;

create function shop.email_held_back(p_due_at timestamptz)
-- whether there is room at 20 places only then
;

revoke all on function shop.email_share_key, shop.email_note_taken from public;
revoke all on function
  shop.email_holder, shop.email_surplus, shop.email_free_places, shop.email_hold_places, shop.email_fill_places,
  shop.email_draw, shop.email_left_of_rate,
  shop.email_allowed, shop.email_admit, shop.email_open_at, shop.email_limits, shop.email_held_back
from public;
grant execute on function shop.email_limits to ops;
grant execute on function shop.email_held_back to mailer;

-- reverse
drop function shop.email_limits, shop.email_held_back;
drop function shop.email_allowed, shop.email_admit, shop.email_open_at;

drop function shop.email_draw, shop.email_left_of_rate;
drop sequence shop.email_rate_clock;

drop function shop.email_hold_places, shop.email_fill_places, shop.email_free_places, shop.email_surplus, shop.email_holder;
drop table shop.email_place;
drop sequence shop.email_place_turn;

drop function shop.email_share_key, shop.email_note_taken;

-- step: settle_limits
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

create or replace function shop.email_free_dead(); -- 1 1 ordered

create or replace function shop.email_ack(); -- wakes

create or replace function shop.email_ack_many(); -- v1 wakes

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, customer_id, subject; wakes
;

create or replace function shop.email_extend(); -- interval '30 seconds' while it runs

create or replace function shop.email_cancel(); -- ordered
create or replace function shop.email_cancel_all();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- where neither hashint8extended(m.customer_id, 0) nor hashint8extended(d.customer_id, 0)
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- as many as are allowed
-- in order
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
-- notes the keys
-- as many as are allowed
-- in order
;

create or replace function shop.email_next_due_v1(); -- or allowed

-- reverse
create or replace function shop.email_free_dead(); -- 1 1

create or replace function shop.email_ack();

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, customer_id, subject
;

create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_cancel();
create or replace function shop.email_cancel_all();

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- customer_id bigint = m.customer_id or d.customer_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_next_due_v1();

-- step: settle_claims
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

-- step: held_messages
-- lock: none but on rows of claimed messages; waits until transactions that end them have ended
-- lock_timeout: 0
-- statement_timeout: 0
-- transaction: no

-- Messages that were claimed before go where the claims of an ordered queue look for those that are begun. Nobody waits:
-- what a transaction is working on is looked at again.
do $$
begin
  loop
    with held as (
      delete from shop.email_message as m
      where m.message_id = any (array(
        select l.message_id
        from shop.email_message as l
        where l.lease_until > '-infinity'
        limit 1000
        for update skip locked
      ))
      returning m.*
    )
    insert into shop.email_delayed (message_id, due_at, lease_until, enqueued_at, attempt, release_count, contract_version, customer_id, subject)
    select h.message_id, h.lease_until, h.lease_until, h.enqueued_at, h.attempt, h.release_count, h.contract_version, h.customer_id, h.subject
    from held as h;
    if not found then
      commit;
      exit when not exists (select from shop.email_message as m where m.lease_until > '-infinity');
      perform pg_catalog.pg_sleep(0.01);
    end if;
    commit;
  end loop;
end
$$;

-- reverse
-- Nothing to do in this direction.

-- step: fill_places
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

-- What was claimed before is in work as well: it gets places beyond the last one, which hold others back until they are
-- free.
insert into shop.email_place (place, generation, message_id, attempt)
select
  greatest(20, (select max(p.place) from shop.email_place as p)) + row_number() over (order by l.message_id),
  1,
  l.message_id,
  l.attempt
from (
  select m.message_id, m.attempt
  from shop.email_message as m
  where m.lease_until > pg_catalog.clock_timestamp()
  union all
  select d.message_id, d.attempt
  from shop.email_delayed as d
  where d.lease_until > pg_catalog.clock_timestamp()
) as l
where not exists (
  select
  from shop.email_place as p
  where p.message_id = l.message_id
    and p.attempt = l.attempt
);

-- reverse
-- Nothing to do in this direction.
