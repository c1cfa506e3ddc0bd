-- quern migration: email/0002_expand_v2
-- Changes queue email: widens "sizes" from int16[] to int32[]; changes the constraints of "sizes"; widens "prices" from numeric(6,2)?[] to numeric(12,2)?[].

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
  alter column sizes drop not null,
  add column sizes_v2 integer[],
  add column prices_v2 numeric(12,2)[],
  add constraint email_sizes_required_v1 check (contract_version <> 1 or (sizes is not null)) not valid,
  add constraint email_sizes_v2_max_length check (cardinality(sizes_v2) <= 10) not valid,
  add constraint email_sizes_v2_one_dimension check (coalesce(array_ndims(sizes_v2), 1) = 1 and coalesce(array_lower(sizes_v2, 1), 1) = 1) not valid,
  add constraint email_sizes_v2_no_nulls check (array_ndims(sizes_v2) > 1 or array_position(sizes_v2, null) is null) not valid,
  add constraint email_sizes_v2_required_v2 check (contract_version <> 2 or (sizes_v2 is not null)) not valid,
  add constraint email_prices_v2_one_dimension check (coalesce(array_ndims(prices_v2), 1) = 1 and coalesce(array_lower(prices_v2, 1), 1) = 1) not valid,
  add constraint email_prices_v2_required_v2 check (contract_version <> 2 or (prices_v2 is not null)) not valid;
alter table shop.email_delayed
  alter column sizes drop not null,
  add column sizes_v2 integer[],
  add column prices_v2 numeric(12,2)[],
  add constraint email_sizes_required_v1 check (contract_version <> 1 or (sizes is not null)) not valid,
  add constraint email_sizes_v2_max_length check (cardinality(sizes_v2) <= 10) not valid,
  add constraint email_sizes_v2_one_dimension check (coalesce(array_ndims(sizes_v2), 1) = 1 and coalesce(array_lower(sizes_v2, 1), 1) = 1) not valid,
  add constraint email_sizes_v2_no_nulls check (array_ndims(sizes_v2) > 1 or array_position(sizes_v2, null) is null) not valid,
  add constraint email_sizes_v2_required_v2 check (contract_version <> 2 or (sizes_v2 is not null)) not valid,
  add constraint email_prices_v2_one_dimension check (coalesce(array_ndims(prices_v2), 1) = 1 and coalesce(array_lower(prices_v2, 1), 1) = 1) not valid,
  add constraint email_prices_v2_required_v2 check (contract_version <> 2 or (prices_v2 is not null)) not valid;
alter table shop.email_dead
  alter column sizes drop not null,
  add column sizes_v2 integer[],
  add column prices_v2 numeric(12,2)[];

-- reverse
alter table shop.email_message
  alter column sizes set not null;
alter table shop.email_delayed
  alter column sizes set not null;
alter table shop.email_dead
  alter column sizes set not null;

alter table shop.email_message
  drop column sizes_v2,
  drop column prices_v2,
  drop constraint email_sizes_present;
alter table shop.email_delayed
  drop column sizes_v2,
  drop column prices_v2,
  drop constraint email_sizes_present;
alter table shop.email_dead
  drop column sizes_v2,
  drop column prices_v2;

-- step: validate
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.email_message validate constraint email_sizes_required_v1;
alter table shop.email_message validate constraint email_sizes_v2_max_length;
alter table shop.email_message validate constraint email_sizes_v2_one_dimension;
alter table shop.email_message validate constraint email_sizes_v2_no_nulls;
alter table shop.email_message validate constraint email_sizes_v2_required_v2;
alter table shop.email_message validate constraint email_prices_v2_one_dimension;
alter table shop.email_message validate constraint email_prices_v2_required_v2;
alter table shop.email_delayed validate constraint email_sizes_required_v1;
alter table shop.email_delayed validate constraint email_sizes_v2_max_length;
alter table shop.email_delayed validate constraint email_sizes_v2_one_dimension;
alter table shop.email_delayed validate constraint email_sizes_v2_no_nulls;
alter table shop.email_delayed validate constraint email_sizes_v2_required_v2;
alter table shop.email_delayed validate constraint email_prices_v2_one_dimension;
alter table shop.email_delayed validate constraint email_prices_v2_required_v2;

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

alter table shop.email_message validate constraint email_sizes_present;
alter table shop.email_message validate constraint email_contract_version_known;
alter table shop.email_delayed validate constraint email_sizes_present;
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
  drop constraint email_sizes_required_v1,
  drop constraint email_sizes_v2_max_length,
  drop constraint email_sizes_v2_one_dimension,
  drop constraint email_sizes_v2_no_nulls,
  drop constraint email_sizes_v2_required_v2,
  drop constraint email_prices_v2_one_dimension,
  drop constraint email_prices_v2_required_v2,
  add constraint email_sizes_present check (sizes is not null) not valid;
alter table shop.email_delayed
  drop constraint email_contract_version_known,
  add constraint email_contract_version_known check (contract_version = 1) not valid,
  drop constraint email_sizes_required_v1,
  drop constraint email_sizes_v2_max_length,
  drop constraint email_sizes_v2_one_dimension,
  drop constraint email_sizes_v2_no_nulls,
  drop constraint email_sizes_v2_required_v2,
  drop constraint email_prices_v2_one_dimension,
  drop constraint email_prices_v2_required_v2,
  add constraint email_sizes_present check (sizes is not null) not valid;

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
-- kept, sizes, prices, sizes_v2, prices_v2
;

create or replace function shop.email_ack_many(); -- v1,  v2

create or replace function shop.email_nack()
-- v2 and older, after 8 attempts dead, else delayed, sizes, prices, sizes_v2, prices_v2
;

create or replace function shop.email_release(); -- v1 v2

create or replace function shop.email_redrive_all()
-- v2 and older, sizes, prices, sizes_v2, prices_v2
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 where shop.quern_payload_problems(p_payload, '{"sizes": "array", "prices": "array?"}') is null, case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::smallint from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end, coalesce(case when jsonb_typeof(p_payload -> 'prices') = 'array' then array(select e.value::numeric(6,2) from jsonb_array_elements_text(p_payload -> 'prices') with ordinality as e(value, place) order by e.place) end, '{}'), coalesce(array_ndims((case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::smallint from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end)), 1) = 1 and coalesce(array_lower((case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::smallint from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end), 1), 1) = 1, array_ndims((case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::smallint from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end)) > 1 or array_position((case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::smallint from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end), null) is null, coalesce(array_ndims((coalesce(case when jsonb_typeof(p_payload -> 'prices') = 'array' then array(select e.value::numeric(6,2) from jsonb_array_elements_text(p_payload -> 'prices') with ordinality as e(value, place) order by e.place) end, '{}'))), 1) = 1 and coalesce(array_lower((coalesce(case when jsonb_typeof(p_payload -> 'prices') = 'array' then array(select e.value::numeric(6,2) from jsonb_array_elements_text(p_payload -> 'prices') with ordinality as e(value, place) order by e.place) end, '{}')), 1), 1) = 1
-- v2 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select case when m.contract_version = 1 then m.sizes when m.contract_version = 2 then m.sizes_v2::smallint[] end as sizes, case when m.contract_version = 1 then m.prices when m.contract_version = 2 then m.prices_v2::numeric(6,2)[] end as prices where (m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false));

create or replace function shop.email_pick_v1()
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(d.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(d.prices_v2) as e(value))) is not false))
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(d.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(d.prices_v2) as e(value))) is not false))
-- sizes smallint[] = case when m.contract_version = 1 then m.sizes when m.contract_version = 2 then m.sizes_v2::smallint[] end or case when d.contract_version = 1 then d.sizes when d.contract_version = 2 then d.sizes_v2::smallint[] end
-- prices numeric(6,2)[] = case when m.contract_version = 1 then m.prices when m.contract_version = 2 then m.prices_v2::numeric(6,2)[] end or case when d.contract_version = 1 then d.prices when d.contract_version = 2 then d.prices_v2::numeric(6,2)[] end
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where (m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false))
-- delayed where (d.contract_version = 1 or (d.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(d.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(d.prices_v2) as e(value))) is not false))
-- sizes smallint[] = case when m.contract_version = 1 then m.sizes when m.contract_version = 2 then m.sizes_v2::smallint[] end or case when d.contract_version = 1 then d.sizes when d.contract_version = 2 then d.sizes_v2::smallint[] end
-- prices numeric(6,2)[] = case when m.contract_version = 1 then m.prices when m.contract_version = 2 then m.prices_v2::numeric(6,2)[] end or case when d.contract_version = 1 then d.prices when d.contract_version = 2 then d.prices_v2::numeric(6,2)[] end
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
-- kept, sizes, prices
;

create or replace function shop.email_ack_many(); -- v1

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, sizes, prices
;

create or replace function shop.email_release(); -- v1

create or replace function shop.email_redrive_all()
-- v1 and older, sizes, prices
;
create or replace function shop.email_redrive();

create or replace function shop.email_enqueue_json()
-- v1 else
;
create or replace function shop.email_claim_json(); -- v1

create or replace view shop.email as select m.sizes as sizes, m.prices as prices where m.contract_version = 1;

create or replace function shop.email_pick_v1()
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- sizes smallint[] = m.sizes or d.sizes
-- prices numeric(6,2)[] = m.prices or d.prices
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- sizes smallint[] = m.sizes or d.sizes
-- prices numeric(6,2)[] = m.prices or d.prices
;

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 2, 'af05288bf0339dbcafec24bacd5bfc24f5f86910c36a6b7b3ca4206045ebd61d')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.email_pick_v2()
-- messages where (m.contract_version = 2 or (m.contract_version = 1 and (cardinality(m.sizes) <= 10) is not false))
-- delayed where (d.contract_version = 2 or (d.contract_version = 1 and (cardinality(d.sizes) <= 10) is not false))
;

create function shop.email_claim_v2()
-- interval '30 seconds', 8 attempts
-- messages where (m.contract_version = 2 or (m.contract_version = 1 and (cardinality(m.sizes) <= 10) is not false))
-- delayed where (d.contract_version = 2 or (d.contract_version = 1 and (cardinality(d.sizes) <= 10) is not false))
-- sizes integer[] = case when m.contract_version = 1 then m.sizes::integer[] when m.contract_version = 2 then m.sizes_v2 end or case when d.contract_version = 1 then d.sizes::integer[] when d.contract_version = 2 then d.sizes_v2 end
-- prices numeric(12,2)[] = case when m.contract_version = 1 then m.prices::numeric(12,2)[] when m.contract_version = 2 then m.prices_v2 end or case when d.contract_version = 1 then d.prices::numeric(12,2)[] when d.contract_version = 2 then d.prices_v2 end
;

create function shop.email_claim_json_v2(); -- sizes -- prices

create function shop.email_take_v2()
-- 8 attempts
-- messages where (m.contract_version = 2 or (m.contract_version = 1 and (cardinality(m.sizes) <= 10) is not false))
-- delayed where (d.contract_version = 2 or (d.contract_version = 1 and (cardinality(d.sizes) <= 10) is not false))
-- sizes integer[] = case when m.contract_version = 1 then m.sizes::integer[] when m.contract_version = 2 then m.sizes_v2 end or case when d.contract_version = 1 then d.sizes::integer[] when d.contract_version = 2 then d.sizes_v2 end
-- prices numeric(12,2)[] = case when m.contract_version = 1 then m.prices::numeric(12,2)[] when m.contract_version = 2 then m.prices_v2 end or case when d.contract_version = 1 then d.prices::numeric(12,2)[] when d.contract_version = 2 then d.prices_v2 end
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
    select m.message_id from shop.email_message as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false)))
    union all
    select m.message_id from shop.email_delayed as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false)))
    union all
    select m.message_id from shop.email_dead as m where m.contract_version = 2 and not ((m.contract_version = 1 or (m.contract_version = 2 and ((select bool_and(e.value between -32768 and 32767) from unnest(m.sizes_v2) as e(value))) is not false and ((select bool_and(e.value = 'NaN' or (e.value = round(e.value, 2) and abs(e.value) < 1e4)) from unnest(m.prices_v2) as e(value))) is not false)))
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
  p_sizes integer[],
  p_prices numeric(12,2)[] default '{}',
  p_delay interval default null
)
-- sizes_v2 = p_sizes
-- prices_v2 = p_prices
;

create function shop.email_enqueue_many_v2()
-- sizes_v2 = t.sizes::integer[]
-- prices_v2 = coalesce(t.prices::numeric(12,2)[], '{}')
;

create function shop.email_enqueue_json_v2()
-- '{"sizes": "array", "prices": "array?"}'
-- p_sizes = case when jsonb_typeof(p_payload -> 'sizes') = 'array' then array(select e.value::integer from jsonb_array_elements_text(p_payload -> 'sizes') with ordinality as e(value, place) order by e.place) end
-- p_prices = coalesce(case when jsonb_typeof(p_payload -> 'prices') = 'array' then array(select e.value::numeric(12,2) from jsonb_array_elements_text(p_payload -> 'prices') with ordinality as e(value, place) order by e.place) end, '{}')
;

revoke all on function
  shop.email_wake_v2, shop.email_enqueue_v2, shop.email_enqueue_many_v2, shop.email_enqueue_json_v2
from public;

-- reverse
drop function shop.email_enqueue_json_v2, shop.email_enqueue_many_v2, shop.email_enqueue_v2, shop.email_wake_v2;
