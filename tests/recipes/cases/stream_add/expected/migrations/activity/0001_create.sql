-- quern migration: activity/0001_create
-- Creates stream activity: its tables, its functions for contract v1 and the rights on them.
-- roles: mailer, ops, web

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create table shop.activity_event (
  customer_id bigint not null,
  kind text not null,
  constraint activity_kind_max_length check (char_length(kind) <= 40),
  constraint activity_contract_version_known check (contract_version = 1)
);

create table shop.activity_page ();

create table shop.activity_consumer ();

create table shop.activity_claim ();

create table shop.activity_failed (
  customer_id bigint not null,
  kind text not null,
  constraint activity_failed_key primary key (consumer, event_offset)
);

create function shop.activity_wake(); -- 'shop.activity' -6277507035114536254

create function shop.activity_newest_page();
create function shop.activity_page_of(p_offset bigint);
create function shop.activity_first_offset();
create function shop.activity_check_offset(p_after bigint);
create function shop.activity_cursor_at(p_offset bigint);

create function shop.activity_offset_at(p_at timestamptz);

create function shop.activity_ordered_by(p_consumer text);
create function shop.activity_blocks(p_consumer text);
create function shop.activity_key_of(p_consumer text);
create function shop.activity_key_of_failed(p_consumer text);

create function shop.activity_blocked();

create function shop.activity_has_filter(p_consumer text);
create function shop.activity_wants(p_consumer text);

create function shop.activity_seal_to_end();
create function shop.activity_end_of_read();

create function shop.activity_seal();

create function shop.activity_wait_for_consumer(p_consumer text); -- -6277507035114536254
create function shop.activity_check_consumer(p_consumer text);
create function shop.activity_newest_claim(p_consumer text);
create function shop.activity_open_claims(p_consumer text);
create function shop.activity_done_up_to(p_consumer text);
create function shop.activity_begin_claims(p_consumer text);
create function shop.activity_move_position(p_consumer text);

create function shop.activity_enlist();
create function shop.activity_share(p_consumer text, p_lease interval);
create function shop.activity_unshare(p_consumer text);

create function shop.activity_lock_claim(p_claim_id bigint);
create function shop.activity_finish(p_claim_id bigint);

create function shop.activity_extend(p_batch bigint);
create function shop.activity_release(p_batch bigint);

create function shop.activity_set_aside(p_offsets bigint[]); -- up to v1 -- customer_id -- kind

create function shop.activity_nack(p_batch bigint, p_offset bigint);

create function shop.activity_take_over(p_claim_id bigint);
create function shop.activity_end_claim(p_claim_id bigint);
create function shop.activity_left_of(p_claim_id bigint);
create function shop.activity_bury(p_claim_id bigint);
create function shop.activity_free_failed(p_consumer text);

create function shop.activity_busy_keys(p_consumer text);
create function shop.activity_is_first(p_consumer text);
create function shop.activity_is_full(p_consumer text);
create function shop.activity_sort_out(p_consumer text);
create function shop.activity_line_up(p_consumer text);
create function shop.activity_promote(p_consumer text);
create function shop.activity_dissolve(p_consumer text);
create function shop.activity_reorder(p_consumer text);

create function shop.activity_held(p_consumer text);

create function shop.activity_looked_up_to(p_consumer text);

create sequence shop.activity_v1_read_at as bigint minvalue 0;
create sequence shop.activity_v1_produced_at as bigint minvalue 0;
comment on sequence shop.activity_v1_read_at is 'When a consumer last used contract v1, in seconds since 1970, to the minute.';
comment on sequence shop.activity_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('activity', 1, '40632ff857e16be58bb1f410ab17aefacc1d7939226dbb57ce50f13d65f0992c')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

create function shop.activity_read_v1(p_after bigint);
-- events where e.contract_version = 1
-- customer_id bigint = e.customer_id
-- kind text = e.kind

create function shop.activity_read_json_v1(p_after bigint);

create function shop.activity_look_v1(p_consumer text);
-- events where e.contract_version = 1
-- customer_id bigint = e.customer_id
-- kind text = e.kind

create function shop.activity_receive_v1(p_consumer text);
create function shop.activity_receive_json_v1(p_consumer text);

create function shop.activity_claim_v1(p_consumer text);
-- failed events where e.contract_version = 1
-- customer_id bigint = e.customer_id
-- kind text = e.kind

create function shop.activity_claim_json_v1(p_consumer text);

create function shop.activity_next_due_v1(p_consumer text);

revoke all on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.activity_look_v1
from public;
grant execute on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1
to mailer;
grant select on sequence shop.activity_v1_read_at to ops;

create function shop.activity_wake_v1();

create function shop.activity_publish_v1(
  p_customer_id bigint,
  p_kind text
); -- inserts contract_version, customer_id, kind

create function shop.activity_publish_many_v1(
  p_customer_id bigint[],
  p_kind text[]
); -- inserts t.customer_id, t.kind

create function shop.activity_publish_json_v1(p_payload jsonb); -- '{"customer_id": "number", "kind": "string"}'
-- p_customer_id => (p_payload ->> 'customer_id')::bigint
-- p_kind => p_payload ->> 'kind'

revoke all on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
from public;
grant execute on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
to web;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web;
grant select on sequence shop.activity_v1_produced_at to ops;

create function shop.activity_position_of(p_consumer text);
create function shop.activity_move_on(p_consumer text, p_batch bigint, p_offset bigint);

create function shop.activity_subscribe(p_consumer text, p_from text);
create function shop.activity_unsubscribe(p_consumer text);

create function shop.activity_ack(p_consumer text, p_batch bigint, p_offset bigint);

create function shop.activity_redrive_all(p_consumer text);
create function shop.activity_redrive(p_consumer text, p_offset bigint);
create function shop.activity_purge(p_consumer text);

create function shop.activity_peek_failed();

create function shop.activity_seek(p_consumer text, p_after bigint);

create function shop.activity_is_done_with(p_segment smallint); -- interval '720 hours'
create function shop.activity_truncate(p_segment smallint);

create function shop.activity_rotate(); -- interval '360 hours'

create function shop.activity_compact();

create function shop.activity_maintain();

create function shop.activity_restored(); -- customer_id -- kind

create function shop.activity_lag();
create function shop.activity_stats();

create function shop.activity_publish_json(p_payload jsonb);
-- else v1
create function shop.activity_read_json(p_after bigint); -- v1

select shop.activity_subscribe('audit', 'start');
select shop.activity_subscribe('notifier', 'end');

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

-- reverse
lock table shop.activity_event, shop.activity_page, shop.activity_position, shop.activity_claim, shop.activity_failed in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select (
    select count(*)
    from shop.activity_event as m
    where true
  ) + (
    select count(*)
    from shop.activity_failed as m
    where true
  )
  into v_count;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of stream "activity" %s', v_count,
        case v_count when 1 then 'event' else 'events' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'They go when they are older than its retention.';
  end if;
end
$$;

drop function
  shop.activity_publish_json_v1, shop.activity_publish_many_v1, shop.activity_publish_v1, shop.activity_wake_v1,
  shop.activity_claim_json_v1, shop.activity_claim_v1, shop.activity_next_due_v1, shop.activity_receive_json_v1, shop.activity_receive_v1, shop.activity_look_v1, shop.activity_read_json_v1, shop.activity_read_v1,
  shop.activity_publish_json, shop.activity_read_json, shop.activity_wake, shop.activity_stats, shop.activity_lag, shop.activity_restored,
  shop.activity_maintain, shop.activity_compact, shop.activity_rotate, shop.activity_truncate, shop.activity_is_done_with, shop.activity_seek, shop.activity_ack,
  shop.activity_peek_failed, shop.activity_purge, shop.activity_redrive, shop.activity_redrive_all, shop.activity_free_failed, shop.activity_take_over, shop.activity_bury, shop.activity_left_of, shop.activity_end_claim,
  shop.activity_reorder, shop.activity_dissolve, shop.activity_promote, shop.activity_line_up, shop.activity_sort_out, shop.activity_is_full, shop.activity_is_first, shop.activity_busy_keys,
  shop.activity_held, shop.activity_wake_waiting, shop.activity_set_aside, shop.activity_nack, shop.activity_release, shop.activity_extend, shop.activity_finish, shop.activity_lock_claim, shop.activity_unshare,
  shop.activity_share, shop.activity_move_position, shop.activity_begin_claims, shop.activity_done_up_to, shop.activity_open_claims, shop.activity_newest_claim,
  shop.activity_check_consumer, shop.activity_wait_for_consumer, shop.activity_enlist,
  shop.activity_blocked, shop.activity_key_of_failed, shop.activity_key_of, shop.activity_blocks, shop.activity_ordered_by,
  shop.activity_looked_up_to, shop.activity_wants, shop.activity_has_filter, shop.activity_position_of, shop.activity_unsubscribe, shop.activity_subscribe, shop.activity_seal, shop.activity_end_of_read, shop.activity_seal_to_end, shop.activity_check_offset, shop.activity_offset_at,
  shop.activity_first_offset, shop.activity_newest_page, shop.activity_cursor_at, shop.activity_move_on, shop.activity_page_of, shop.activity_home;
drop table shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed;
drop sequence shop.activity_event_number, shop.activity_position_id, shop.activity_claim_id, shop.activity_segment, shop.activity_rotated_at, shop.activity_maintained_at;
drop sequence shop.activity_v1_read_at, shop.activity_v1_produced_at;
delete from shop.quern_contract where queue = 'activity';
delete from shop.quern_client where queue = 'activity';

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
    if v_role = 'mailer' and 'stream_consume' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_looked_up_to$') then
      revoke execute on function shop.stream_consume from mailer;
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
    if v_role = 'web' and 'stream_publish' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_publish_json$') then
      revoke execute on function shop.stream_publish from web;
    end if;
    if v_role = 'web' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from web;
      revoke usage on schema shop from web;
    end if;
  end loop;
end
$$;
