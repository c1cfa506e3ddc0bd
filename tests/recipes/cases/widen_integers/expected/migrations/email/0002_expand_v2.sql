-- quern migration: email/0002_expand_v2
-- Changes queue email: widens "small" from int16 to int32; widens "whole" from int32 to int64; widens "small_or_none" from int16? to int64?.

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
  alter column small drop not null,
  alter column whole drop not null,
  add column small_v2 integer,
  add column whole_v2 bigint,
  add column small_or_none_v2 bigint,
  add constraint email_small_required_v1 check (contract_version <> 1 or (small is not null)) not valid,
  add constraint email_whole_required_v1 check (contract_version <> 1 or (whole is not null)) not valid,
  add constraint email_small_v2_required_v2 check (contract_version <> 2 or (small_v2 is not null)) not valid,
  add constraint email_whole_v2_min check (whole_v2 >= 0) not valid,
  add constraint email_whole_v2_required_v2 check (contract_version <> 2 or (whole_v2 is not null)) not valid;
alter table shop.email_delayed
  alter column small drop not null,
  alter column whole drop not null,
  add column small_v2 integer,
  add column whole_v2 bigint,
  add column small_or_none_v2 bigint,
  add constraint email_small_required_v1 check (contract_version <> 1 or (small is not null)) not valid,
  add constraint email_whole_required_v1 check (contract_version <> 1 or (whole is not null)) not valid,
  add constraint email_small_v2_required_v2 check (contract_version <> 2 or (small_v2 is not null)) not valid,
  add constraint email_whole_v2_min check (whole_v2 >= 0) not valid,
  add constraint email_whole_v2_required_v2 check (contract_version <> 2 or (whole_v2 is not null)) not valid;
alter table shop.email_dead
  alter column small drop not null,
  alter column whole drop not null,
  add column small_v2 integer,
  add column whole_v2 bigint,
  add column small_or_none_v2 bigint;

-- reverse
alter table shop.email_message
  alter column small set not null,
  alter column whole set not null;
alter table shop.email_delayed
  alter column small set not null,
  alter column whole set not null;
alter table shop.email_dead
  alter column small set not null,
  alter column whole set not null;

alter table shop.email_message
  drop column small_v2,
  drop column whole_v2,
  drop column small_or_none_v2,
  drop constraint email_small_present,
  drop constraint email_whole_present;
alter table shop.email_delayed
  drop column small_v2,
  drop column whole_v2,
  drop column small_or_none_v2,
  drop constraint email_small_present,
  drop constraint email_whole_present;
alter table shop.email_dead
  drop column small_v2,
  drop column whole_v2,
  drop column small_or_none_v2;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_small_required_v1;
alter table shop.email_message validate constraint email_whole_required_v1;
alter table shop.email_message validate constraint email_small_v2_required_v2;
alter table shop.email_message validate constraint email_whole_v2_min;
alter table shop.email_message validate constraint email_whole_v2_required_v2;
alter table shop.email_delayed validate constraint email_small_required_v1;
alter table shop.email_delayed validate constraint email_whole_required_v1;
alter table shop.email_delayed validate constraint email_small_v2_required_v2;
alter table shop.email_delayed validate constraint email_whole_v2_min;
alter table shop.email_delayed validate constraint email_whole_v2_required_v2;

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

alter table shop.email_message validate constraint email_small_present;
alter table shop.email_message validate constraint email_whole_present;
alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_small_present;
alter table shop.email_delayed validate constraint email_whole_present;
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
  drop constraint email_small_required_v1,
  drop constraint email_whole_required_v1,
  drop constraint email_small_v2_required_v2,
  drop constraint email_whole_v2_min,
  drop constraint email_whole_v2_required_v2,
  add constraint email_small_present check (small is not null) not valid,
  add constraint email_whole_present check (whole is not null) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_small_required_v1,
  drop constraint email_whole_required_v1,
  drop constraint email_small_v2_required_v2,
  drop constraint email_whole_v2_min,
  drop constraint email_whole_v2_required_v2,
  add constraint email_small_present check (small is not null) not valid,
  add constraint email_whole_present check (whole is not null) not valid;

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
-- kept, small, whole, small_or_none, small_v2, whole_v2, small_or_none_v2
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, small, whole, small_or_none, small_v2, whole_v2, small_or_none_v2
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, small, whole, small_or_none, small_v2, whole_v2, small_or_none_v2
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"small": "number", "whole": "number", "small_or_none": "number?"}') is null, (p_payload ->> 'small')::smallint, (p_payload ->> 'whole')::integer, (p_payload ->> 'small_or_none')::smallint, ((p_payload ->> 'whole')::integer) >= 0
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select case when m.contract_version = 1 then m.small when m.contract_version = 2 then m.small_v2::smallint end as small, case when m.contract_version = 1 then m.whole when m.contract_version = 2 then m.whole_v2::integer end as whole, case when m.contract_version = 1 then m.small_or_none when m.contract_version = 2 then m.small_or_none_v2::smallint end as small_or_none where (m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false));

create or replace function shop.email_pick_v1()
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.small_v2 between -32768 and 32767) is not false and (d.whole_v2 between -2147483648 and 2147483647) is not false and (d.small_or_none_v2 between -32768 and 32767) is not false))
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.small_v2 between -32768 and 32767) is not false and (d.whole_v2 between -2147483648 and 2147483647) is not false and (d.small_or_none_v2 between -32768 and 32767) is not false))
-- small smallint = case when m.contract_version = 1 then m.small when m.contract_version = 2 then m.small_v2::smallint end or case when d.contract_version = 1 then d.small when d.contract_version = 2 then d.small_v2::smallint end
-- whole integer = case when m.contract_version = 1 then m.whole when m.contract_version = 2 then m.whole_v2::integer end or case when d.contract_version = 1 then d.whole when d.contract_version = 2 then d.whole_v2::integer end
-- small_or_none smallint = case when m.contract_version = 1 then m.small_or_none when m.contract_version = 2 then m.small_or_none_v2::smallint end or case when d.contract_version = 1 then d.small_or_none when d.contract_version = 2 then d.small_or_none_v2::smallint end
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and (d.small_v2 between -32768 and 32767) is not false and (d.whole_v2 between -2147483648 and 2147483647) is not false and (d.small_or_none_v2 between -32768 and 32767) is not false))
-- small smallint = case when m.contract_version = 1 then m.small when m.contract_version = 2 then m.small_v2::smallint end or case when d.contract_version = 1 then d.small when d.contract_version = 2 then d.small_v2::smallint end
-- whole integer = case when m.contract_version = 1 then m.whole when m.contract_version = 2 then m.whole_v2::integer end or case when d.contract_version = 1 then d.whole when d.contract_version = 2 then d.whole_v2::integer end
-- small_or_none smallint = case when m.contract_version = 1 then m.small_or_none when m.contract_version = 2 then m.small_or_none_v2::smallint end or case when d.contract_version = 1 then d.small_or_none when d.contract_version = 2 then d.small_or_none_v2::smallint end
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
-- kept, small, whole, small_or_none
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, small, whole, small_or_none
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, small, whole, small_or_none
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.small as small, m.whole as whole, m.small_or_none as small_or_none where m.contract_version = 1;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- small smallint = m.small or d.small
-- whole integer = m.whole or d.whole
-- small_or_none smallint = m.small_or_none or d.small_or_none
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- small smallint = m.small or d.small
-- whole integer = m.whole or d.whole
-- small_or_none smallint = m.small_or_none or d.small_or_none
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, '9877e202e6a93f890df6972f6406d034f911585d2d3f530452fc599cdf6aa047')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- small integer = case when m.contract_version = 1 then m.small::integer when m.contract_version = 2 then m.small_v2 end or case when d.contract_version = 1 then d.small::integer when d.contract_version = 2 then d.small_v2 end
-- whole bigint = case when m.contract_version = 1 then m.whole::bigint when m.contract_version = 2 then m.whole_v2 end or case when d.contract_version = 1 then d.whole::bigint when d.contract_version = 2 then d.whole_v2 end
-- small_or_none bigint = case when m.contract_version = 1 then m.small_or_none::bigint when m.contract_version = 2 then m.small_or_none_v2 end or case when d.contract_version = 1 then d.small_or_none::bigint when d.contract_version = 2 then d.small_or_none_v2 end
;

create function shop.email_claim_json_v2(); -- small -- whole -- small_or_none

create function shop.email_take_v2()
-- 8 attempts
-- messages where m.contract_version in (1, 2)
-- delayed where d.contract_version in (1, 2)
-- small integer = case when m.contract_version = 1 then m.small::integer when m.contract_version = 2 then m.small_v2 end or case when d.contract_version = 1 then d.small::integer when d.contract_version = 2 then d.small_v2 end
-- whole bigint = case when m.contract_version = 1 then m.whole::bigint when m.contract_version = 2 then m.whole_v2 end or case when d.contract_version = 1 then d.whole::bigint when d.contract_version = 2 then d.whole_v2 end
-- small_or_none bigint = case when m.contract_version = 1 then m.small_or_none::bigint when m.contract_version = 2 then m.small_or_none_v2 end or case when d.contract_version = 1 then d.small_or_none::bigint when d.contract_version = 2 then d.small_or_none_v2 end
;

create function shop.email_next_due_v2();

revoke all on function
  shop.email_pick_v2, shop.email_claim_v2, shop.email_claim_json_v2, shop.email_take_v2, shop.email_next_due_v2
from public;

-- reverse
do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false)))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false)))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and (m.small_v2 between -32768 and 32767) is not false and (m.whole_v2 between -2147483648 and 2147483647) is not false and (m.small_or_none_v2 between -32768 and 32767) is not false)))
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
  p_small integer,
  p_whole bigint,
  p_small_or_none bigint default null,
  p_delay interval default null
)
-- small_v2 = p_small
-- whole_v2 = p_whole
-- small_or_none_v2 = p_small_or_none
;

create function shop.email_enqueue_many_v2()
-- small_v2 = t.small
-- whole_v2 = t.whole
-- small_or_none_v2 = t.small_or_none
;

create function shop.email_enqueue_json_v2()
-- '{"small": "number", "whole": "number", "small_or_none": "number?"}'
-- p_small = (p_payload ->> 'small')::integer
-- p_whole = (p_payload ->> 'whole')::bigint
-- p_small_or_none = (p_payload ->> 'small_or_none')::bigint
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

-- reverse
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;
