-- quern migration: activity/0002_expand_v2
-- Changes stream activity: renames the stream "activity" to "news"; renames the field "customer_id" to "customer"; adds the field "source"; drops the consumer "audit"; changes the consumer "crew"; adds the consumer "statistics"; changes grants.operate; changes grants.produce; changes retention.
-- roles: mailer, web

-- step: hints_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.activity_v2_read_at as bigint minvalue 0;
create sequence shop.activity_v2_produced_at as bigint minvalue 0;
comment on sequence shop.activity_v2_read_at is 'When a consumer last used contract v2, in seconds since 1970, to the minute.';
comment on sequence shop.activity_v2_produced_at is 'When a producer last used contract v2, in seconds since 1970, to the minute.';

-- reverse
drop sequence shop.activity_v2_read_at, shop.activity_v2_produced_at;

-- step: columns
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  add column source text default 'web' not null;
alter table shop.activity_failed
  add column source text default 'web' not null;

-- reverse
alter table shop.activity_event
  drop column source;
alter table shop.activity_failed
  drop column source;

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
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v2', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

alter table shop.activity_event validate constraint activity_contract_version_known;

-- step: allow_v2
-- lock: access exclusive on shop.activity_event, shop.activity_failed, for an instant
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version in (1, 2)) not valid;

-- reverse
alter table shop.activity_event
  drop constraint activity_contract_version_known,
  add constraint activity_contract_version_known check (contract_version = 1) not valid;

-- step: validate_versions
-- lock: share update exclusive on the tables of messages, while they are read
-- lock_timeout: 5s
-- statement_timeout: 1h
-- transaction: yes

alter table shop.activity_event validate constraint activity_contract_version_known;

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

create or replace function shop.activity_has_filter(p_consumer text);
create or replace function shop.activity_wants(p_consumer text);

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v2 -- customer_id -- kind -- source

create or replace function shop.activity_is_done_with(p_segment smallint); -- interval '720 hours'
create or replace function shop.activity_truncate(p_segment smallint);

create or replace function shop.activity_rotate(); -- interval '360 hours'

create or replace function shop.activity_restored(); -- customer_id -- kind -- source

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v2
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer_id integer = e.customer_id
-- kind text = e.kind

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v2', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version = 1: p_event.customer_id > 0

create or replace function shop.activity_set_aside(p_offsets bigint[]); -- up to v1 -- customer_id -- kind

create or replace function shop.activity_is_done_with(p_segment smallint); -- interval '168 hours'
create or replace function shop.activity_truncate(p_segment smallint);

create or replace function shop.activity_rotate(); -- interval '84 hours'

create or replace function shop.activity_restored(); -- customer_id -- kind

create or replace function shop.activity_publish_json(p_payload jsonb);
-- else v1
create or replace function shop.activity_read_json(p_after bigint); -- v1

create or replace function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind

create or replace function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version = 1
-- customer_id integer = e.customer_id
-- kind text = e.kind

-- step: consumers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('news', 2, '295fcb7df945a746495caeb325940fec6e23cd8334f4730290b7188be89f6fed')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.news_read_v2(p_after bigint);
-- events where e.contract_version in (1, 2)
-- customer integer = e.customer_id
-- kind text = e.kind
-- source text = e.source

create function shop.news_read_json_v2(p_after bigint);

create function shop.activity_look_v2(p_consumer text);
-- events where e.contract_version in (1, 2)
-- customer integer = e.customer_id
-- kind text = e.kind
-- source text = e.source

create function shop.news_receive_v2(p_consumer text);
create function shop.news_receive_json_v2(p_consumer text);

create function shop.news_claim_v2(p_consumer text);
-- failed events where e.contract_version in (1, 2)
-- customer integer = e.customer_id
-- kind text = e.kind
-- source text = e.source

create function shop.news_claim_json_v2(p_consumer text);

create function shop.news_next_due_v2(p_consumer text);

revoke all on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2, shop.activity_look_v2
from public;
grant execute on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2
to mailer;

create function shop.news_offset_at(p_at timestamptz);

create function shop.news_blocked(); -- customer_id

create function shop.news_seal();

create function shop.news_enlist();
create function shop.news_share(p_consumer text, p_lease interval);
create function shop.news_unshare(p_consumer text);

create function shop.news_extend(p_batch bigint);
create function shop.news_release(p_batch bigint);

create function shop.news_nack(p_batch bigint, p_offset bigint);

create function shop.news_held(p_consumer text);

create function shop.news_looked_up_to(p_consumer text);

create function shop.news_subscribe(p_consumer text, p_from text);
create function shop.news_unsubscribe(p_consumer text);

create function shop.news_ack(p_consumer text, p_batch bigint, p_offset bigint);

create function shop.news_seek(p_consumer text, p_after bigint);

create function shop.news_redrive_all(p_consumer text);
create function shop.news_redrive(p_consumer text, p_offset bigint);
create function shop.news_purge(p_consumer text);

create function shop.news_lag();
create function shop.news_stats();

create function shop.news_publish_json(p_payload jsonb);
-- else v2
create function shop.news_read_json(p_after bigint); -- v2

create function shop.news_peek_failed();

revoke all on function
  shop.activity_wake, shop.activity_home, shop.activity_newest_page, shop.activity_cursor_at, shop.activity_move_on, shop.activity_page_of, shop.activity_first_offset, shop.news_offset_at, shop.activity_check_offset, shop.activity_seal_to_end, shop.activity_end_of_read, shop.news_seal,
  shop.activity_ordered_by, shop.activity_blocks, shop.activity_key_of, shop.activity_key_of_failed, shop.news_blocked, shop.activity_busy_keys, shop.activity_is_first,
  shop.activity_is_full, shop.activity_sort_out, shop.activity_line_up, shop.activity_promote, shop.activity_dissolve, shop.activity_reorder, shop.news_held, shop.activity_wake_waiting,
  shop.activity_has_filter, shop.activity_wants, shop.news_looked_up_to, shop.news_subscribe, shop.news_unsubscribe, shop.activity_position_of, shop.news_ack, shop.news_seek,
  shop.news_enlist, shop.activity_wait_for_consumer, shop.activity_check_consumer, shop.activity_newest_claim, shop.activity_open_claims,
  shop.activity_done_up_to, shop.activity_begin_claims, shop.activity_move_position, shop.news_share, shop.news_unshare, shop.activity_lock_claim, shop.activity_finish,
  shop.news_extend, shop.news_release, shop.activity_set_aside, shop.news_nack, shop.activity_take_over, shop.activity_end_claim, shop.activity_left_of, shop.activity_bury,
  shop.activity_free_failed, shop.news_redrive_all, shop.news_redrive, shop.news_purge, shop.news_peek_failed,
  shop.activity_is_done_with, shop.activity_truncate, shop.activity_rotate, shop.activity_compact, shop.activity_maintain, shop.activity_restored,
  shop.news_lag, shop.news_stats, shop.news_publish_json, shop.news_read_json
from public;
grant usage on schema shop to mailer, web;
grant execute on function shop.quern_handshake to mailer, web;
grant execute on function shop.activity_wake, shop.news_publish_json, shop.stream_publish to web, mailer;
grant usage on sequence shop.activity_event_number to web, mailer;
grant select on sequence shop.activity_segment to web, mailer;
grant execute on function
  shop.news_seal, shop.news_offset_at, shop.news_subscribe, shop.news_ack, shop.news_seek, shop.activity_maintain, shop.news_lag,
  shop.news_enlist, shop.news_nack, shop.news_extend, shop.news_release, shop.news_held, shop.news_looked_up_to, shop.news_read_json,
  shop.stream_consume, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2 and not (m.contract_version in (1, 2))
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2 and not (m.contract_version in (1, 2))
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v2 that no older contract can read', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Only consumers of this contract can handle them: try again when they are through. Dead letters have to be redriven or purged.';
  end if;
end
$$;

drop function
  shop.news_publish_json, shop.news_read_json, shop.news_stats, shop.news_lag, shop.news_seek, shop.news_ack, shop.news_peek_failed, shop.news_purge,
  shop.news_redrive, shop.news_redrive_all, shop.news_held, shop.news_nack, shop.news_release, shop.news_extend, shop.news_unshare, shop.news_share,
  shop.news_enlist, shop.news_blocked, shop.news_looked_up_to, shop.news_unsubscribe, shop.news_subscribe, shop.news_seal, shop.news_offset_at;

drop function
  shop.news_claim_json_v2, shop.news_claim_v2, shop.news_next_due_v2, shop.news_receive_json_v2, shop.news_receive_v2, shop.activity_look_v2, shop.news_read_json_v2, shop.news_read_v2;

delete from shop.quern_contract
where queue = 'news'
  and version = 2;

-- step: producers_v2
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create function shop.news_wake_v2();

create function shop.news_publish_v2(
  p_customer integer,
  p_kind text,
  p_source text default 'web'
); -- inserts contract_version, customer_id, kind, source

create function shop.news_publish_many_v2(
  p_customer integer[],
  p_kind text[],
  p_source text[] default null
); -- inserts t.customer, t.kind, coalesce(t.source, 'web')

create function shop.news_publish_json_v2(p_payload jsonb); -- '{"customer": "number", "kind": "string", "source": "string?"}'
-- p_customer => (p_payload ->> 'customer')::integer
-- p_kind => p_payload ->> 'kind'
-- p_source => coalesce(p_payload ->> 'source', 'web')

revoke all on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
from public;
grant execute on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
to web, mailer;
grant insert (contract_version, customer_id, kind, source) on shop.activity_event to web, mailer;

-- reverse
revoke insert (source) on shop.activity_event from web, mailer;
drop function shop.news_publish_json_v2, shop.news_publish_many_v2, shop.news_publish_v2, shop.news_wake_v2;

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke select on sequence shop.activity_v1_produced_at, shop.activity_v1_read_at from ops;
revoke execute on function shop.activity_seal, shop.activity_offset_at, shop.activity_subscribe, shop.activity_unsubscribe, shop.activity_seek, shop.activity_maintain, shop.activity_share, shop.activity_unshare, shop.activity_redrive_all, shop.activity_redrive, shop.activity_purge, shop.activity_peek_failed, shop.activity_blocked, shop.activity_restored, shop.activity_lag, shop.activity_stats, shop.activity_read_json from ops;
revoke select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed from ops;

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
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.activity_look_v1
from public;
grant execute on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1
to mailer;

revoke all on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
from public;
grant execute on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
to web, mailer;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web, mailer;

revoke all on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2, shop.activity_look_v2
from public;
grant execute on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2
to mailer;

revoke all on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
from public;
grant execute on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
to web, mailer;
grant insert (contract_version, customer_id, kind, source) on shop.activity_event to web, mailer;

revoke all on function
  shop.activity_wake, shop.activity_home, shop.activity_newest_page, shop.activity_cursor_at, shop.activity_move_on, shop.activity_page_of, shop.activity_first_offset, shop.activity_offset_at, shop.activity_check_offset, shop.activity_seal_to_end, shop.activity_end_of_read, shop.activity_seal,
  shop.activity_ordered_by, shop.activity_blocks, shop.activity_key_of, shop.activity_key_of_failed, shop.activity_blocked, shop.activity_busy_keys, shop.activity_is_first,
  shop.activity_is_full, shop.activity_sort_out, shop.activity_line_up, shop.activity_promote, shop.activity_dissolve, shop.activity_reorder, shop.activity_held, shop.activity_wake_waiting,
  shop.activity_has_filter, shop.activity_wants, shop.activity_looked_up_to, shop.activity_subscribe, shop.activity_unsubscribe, shop.activity_position_of, shop.activity_ack, shop.activity_seek,
  shop.activity_enlist, shop.activity_wait_for_consumer, shop.activity_check_consumer, shop.activity_newest_claim, shop.activity_open_claims,
  shop.activity_done_up_to, shop.activity_begin_claims, shop.activity_move_position, shop.activity_share, shop.activity_unshare, shop.activity_lock_claim, shop.activity_finish,
  shop.activity_extend, shop.activity_release, shop.activity_set_aside, shop.activity_nack, shop.activity_take_over, shop.activity_end_claim, shop.activity_left_of, shop.activity_bury,
  shop.activity_free_failed, shop.activity_redrive_all, shop.activity_redrive, shop.activity_purge, shop.activity_peek_failed,
  shop.activity_is_done_with, shop.activity_truncate, shop.activity_rotate, shop.activity_compact, shop.activity_maintain, shop.activity_restored,
  shop.activity_lag, shop.activity_stats, shop.activity_publish_json, shop.activity_read_json
from public;
grant usage on schema shop to mailer, web;
grant execute on function shop.quern_handshake to mailer, web;
grant execute on function shop.activity_wake, shop.activity_publish_json, shop.stream_publish to web, mailer;
grant usage on sequence shop.activity_event_number to web, mailer;
grant select on sequence shop.activity_segment to web, mailer;
grant execute on function
  shop.activity_seal, shop.activity_offset_at, shop.activity_subscribe, shop.activity_ack, shop.activity_seek, shop.activity_maintain, shop.activity_lag,
  shop.activity_enlist, shop.activity_nack, shop.activity_extend, shop.activity_release, shop.activity_held, shop.activity_looked_up_to, shop.activity_read_json,
  shop.stream_consume, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;

revoke all on function
  shop.activity_wake, shop.activity_home, shop.activity_newest_page, shop.activity_cursor_at, shop.activity_move_on, shop.activity_page_of, shop.activity_first_offset, shop.news_offset_at, shop.activity_check_offset, shop.activity_seal_to_end, shop.activity_end_of_read, shop.news_seal,
  shop.activity_ordered_by, shop.activity_blocks, shop.activity_key_of, shop.activity_key_of_failed, shop.news_blocked, shop.activity_busy_keys, shop.activity_is_first,
  shop.activity_is_full, shop.activity_sort_out, shop.activity_line_up, shop.activity_promote, shop.activity_dissolve, shop.activity_reorder, shop.news_held, shop.activity_wake_waiting,
  shop.activity_has_filter, shop.activity_wants, shop.news_looked_up_to, shop.news_subscribe, shop.news_unsubscribe, shop.activity_position_of, shop.news_ack, shop.news_seek,
  shop.news_enlist, shop.activity_wait_for_consumer, shop.activity_check_consumer, shop.activity_newest_claim, shop.activity_open_claims,
  shop.activity_done_up_to, shop.activity_begin_claims, shop.activity_move_position, shop.news_share, shop.news_unshare, shop.activity_lock_claim, shop.activity_finish,
  shop.news_extend, shop.news_release, shop.activity_set_aside, shop.news_nack, shop.activity_take_over, shop.activity_end_claim, shop.activity_left_of, shop.activity_bury,
  shop.activity_free_failed, shop.news_redrive_all, shop.news_redrive, shop.news_purge, shop.news_peek_failed,
  shop.activity_is_done_with, shop.activity_truncate, shop.activity_rotate, shop.activity_compact, shop.activity_maintain, shop.activity_restored,
  shop.news_lag, shop.news_stats, shop.news_publish_json, shop.news_read_json
from public;
grant usage on schema shop to mailer, web;
grant execute on function shop.quern_handshake to mailer, web;
grant execute on function shop.activity_wake, shop.news_publish_json, shop.stream_publish to web, mailer;
grant usage on sequence shop.activity_event_number to web, mailer;
grant select on sequence shop.activity_segment to web, mailer;
grant execute on function
  shop.news_seal, shop.news_offset_at, shop.news_subscribe, shop.news_ack, shop.news_seek, shop.activity_maintain, shop.news_lag,
  shop.news_enlist, shop.news_nack, shop.news_extend, shop.news_release, shop.news_held, shop.news_looked_up_to, shop.news_read_json,
  shop.stream_consume, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;

-- reverse
revoke execute on function shop.activity_wake, shop.activity_publish_json, shop.news_publish_json, shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1, shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2 from mailer;
revoke insert (contract_version, customer_id, kind, source) on shop.activity_event from mailer;
revoke usage on sequence shop.activity_event_number from mailer;
revoke select on sequence shop.activity_segment from mailer;

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
      and r.rolname in ('mailer')
    group by r.rolname
  loop
    if v_role = 'mailer' and 'stream_publish' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_publish_json$') then
      revoke execute on function shop.stream_publish from mailer;
    end if;
    if v_role = 'mailer' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from mailer;
      revoke usage on schema shop from mailer;
    end if;
  end loop;
end
$$;

revoke all on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.activity_look_v1
from public;
grant execute on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1
to mailer;
grant select on sequence shop.activity_v1_read_at to ops;

revoke all on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
from public;
grant execute on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
to web;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web;
grant select on sequence shop.activity_v1_produced_at to ops;

revoke all on function
  shop.activity_wake, shop.activity_home, shop.activity_newest_page, shop.activity_cursor_at, shop.activity_move_on, shop.activity_page_of, shop.activity_first_offset, shop.activity_offset_at, shop.activity_check_offset, shop.activity_seal_to_end, shop.activity_end_of_read, shop.activity_seal,
  shop.activity_ordered_by, shop.activity_blocks, shop.activity_key_of, shop.activity_key_of_failed, shop.activity_blocked, shop.activity_busy_keys, shop.activity_is_first,
  shop.activity_is_full, shop.activity_sort_out, shop.activity_line_up, shop.activity_promote, shop.activity_dissolve, shop.activity_reorder, shop.activity_held, shop.activity_wake_waiting,
  shop.activity_has_filter, shop.activity_wants, shop.activity_looked_up_to, shop.activity_subscribe, shop.activity_unsubscribe, shop.activity_position_of, shop.activity_ack, shop.activity_seek,
  shop.activity_enlist, shop.activity_wait_for_consumer, shop.activity_check_consumer, shop.activity_newest_claim, shop.activity_open_claims,
  shop.activity_done_up_to, shop.activity_begin_claims, shop.activity_move_position, shop.activity_share, shop.activity_unshare, shop.activity_lock_claim, shop.activity_finish,
  shop.activity_extend, shop.activity_release, shop.activity_set_aside, shop.activity_nack, shop.activity_take_over, shop.activity_end_claim, shop.activity_left_of, shop.activity_bury,
  shop.activity_free_failed, shop.activity_redrive_all, shop.activity_redrive, shop.activity_purge, shop.activity_peek_failed,
  shop.activity_is_done_with, shop.activity_truncate, shop.activity_rotate, shop.activity_compact, shop.activity_maintain, shop.activity_restored,
  shop.activity_lag, shop.activity_stats, shop.activity_publish_json, shop.activity_read_json
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.activity_wake, shop.activity_publish_json, shop.stream_publish to web;
grant usage on sequence shop.activity_event_number to web;
grant select on sequence shop.activity_segment to web;
grant execute on function
  shop.activity_seal, shop.activity_offset_at, shop.activity_subscribe, shop.activity_ack, shop.activity_seek, shop.activity_maintain, shop.activity_lag,
  shop.activity_enlist, shop.activity_nack, shop.activity_extend, shop.activity_release, shop.activity_held, shop.activity_looked_up_to, shop.activity_read_json,
  shop.stream_consume, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant execute on function
  shop.activity_seal, shop.activity_offset_at, shop.activity_subscribe, shop.activity_unsubscribe, shop.activity_seek, shop.activity_maintain,
  shop.activity_share, shop.activity_unshare, shop.activity_redrive_all, shop.activity_redrive, shop.activity_purge, shop.activity_peek_failed, shop.activity_blocked, shop.activity_restored, shop.activity_lag, shop.activity_stats, shop.activity_read_json,
  shop.quern_workers
to ops;
grant select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.news_subscribe('statistics', 'end');
select shop.news_unsubscribe('audit');

-- reverse
do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where m.contract_version = 2
  ) + (
    select count(*)
    from shop.activity_failed as m
    where m.contract_version = 2
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "news" %s in contract v2', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Readers of older contracts read them: try again when they are older than the retention.';
  end if;
end
$$;

select shop.activity_subscribe('audit', 'start');
select shop.activity_unsubscribe('statistics');
