-- quern migration: email/0002_change_options
-- Changes queue email: changes concurrency.queue; changes rate.burst; changes rate.count; changes rate.per.
-- roles: mailer, ops, web

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

revoke all on function
  shop.email_holder, shop.email_surplus, shop.email_free_places, shop.email_hold_places, shop.email_fill_places,
  shop.email_draw, shop.email_left_of_rate,
  shop.email_allowed, shop.email_admit, shop.email_open_at, shop.email_limits
from public;
grant execute on function shop.email_limits to ops;

-- reverse
drop function shop.email_limits;
drop function shop.email_allowed, shop.email_admit, shop.email_open_at;

drop function shop.email_draw, shop.email_left_of_rate;
drop sequence shop.email_rate_clock;

drop function shop.email_hold_places, shop.email_fill_places, shop.email_free_places, shop.email_surplus, shop.email_holder;
drop table shop.email_place;
drop sequence shop.email_place_turn;

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

create or replace function shop.email_ack(); -- wakes

create or replace function shop.email_ack_many(); -- v1 wakes

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, subject; wakes
;

create or replace function shop.email_extend(); -- interval '30 seconds' while it runs

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- subject text = m.subject or d.subject
-- as many as are allowed
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- subject text = m.subject or d.subject
-- as many as are allowed
;

create or replace function shop.email_next_due_v1(); -- or allowed

-- reverse
create or replace function shop.email_ack();

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, subject
;

create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- subject text = m.subject or d.subject
;

create or replace function shop.email_next_due_v1();

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
