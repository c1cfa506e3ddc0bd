-- quern migration: activity/0003_change_options
-- Changes stream news: drops the consumer "audit"; changes the consumer "crew"; changes doc; changes grants.consume; changes grants.operate.
-- roles: courier, web

-- step: functions
-- lock: share row exclusive on what failed, while its keys are written
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_ordered_by(p_consumer text);
create or replace function shop.activity_blocks(p_consumer text);
create or replace function shop.activity_key_of(p_consumer text);
create or replace function shop.activity_key_of_failed(p_consumer text);

create or replace function shop.activity_blocked();

create or replace function shop.news_blocked();

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version in (1, 2): p_event.customer_id > 7

comment on table shop.activity_event is 'What happened.';

select shop.activity_reorder('crew');

-- reverse
create or replace function shop.activity_ordered_by(p_consumer text); -- 'crew' 'customer_id'
create or replace function shop.activity_blocks(p_consumer text); -- 'crew'
create or replace function shop.activity_key_of(p_consumer text);
-- 'crew': hashint4extended(p_event.customer_id, 0)
create or replace function shop.activity_key_of_failed(p_consumer text);
-- 'crew': hashint4extended(p_failed.customer_id, 0)

create or replace function shop.activity_blocked(); -- customer_id

create or replace function shop.news_blocked(); -- customer_id

create or replace function shop.activity_has_filter(p_consumer text); -- 'crew'
create or replace function shop.activity_wants(p_consumer text);
-- 'crew' if p_event.contract_version in (1, 2): p_event.customer_id > 0

comment on table shop.activity_event is null;

select shop.activity_reorder('crew');

-- step: rights
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

revoke execute on function shop.activity_seal, shop.news_seal, shop.activity_offset_at, shop.news_offset_at, shop.activity_subscribe, shop.news_subscribe, shop.activity_ack, shop.news_ack, shop.activity_seek, shop.news_seek, shop.activity_maintain, shop.activity_lag, shop.news_lag, shop.activity_enlist, shop.news_enlist, shop.activity_nack, shop.news_nack, shop.activity_extend, shop.news_extend, shop.activity_release, shop.news_release, shop.activity_held, shop.news_held, shop.activity_looked_up_to, shop.news_looked_up_to, shop.activity_read_json, shop.news_read_json, shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1, shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2, shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2 from mailer;
revoke select on sequence shop.activity_v1_produced_at, shop.activity_v1_read_at, shop.activity_v2_produced_at, shop.activity_v2_read_at from ops;
revoke execute on function shop.activity_seal, shop.news_seal, shop.activity_offset_at, shop.news_offset_at, shop.activity_subscribe, shop.news_subscribe, shop.activity_unsubscribe, shop.news_unsubscribe, shop.activity_seek, shop.news_seek, shop.activity_maintain, shop.activity_share, shop.news_share, shop.activity_unshare, shop.news_unshare, shop.activity_redrive_all, shop.news_redrive_all, shop.activity_redrive, shop.news_redrive, shop.activity_purge, shop.news_purge, shop.activity_peek_failed, shop.news_peek_failed, shop.activity_blocked, shop.news_blocked, shop.activity_restored, shop.activity_lag, shop.news_lag, shop.activity_stats, shop.news_stats, shop.activity_read_json, shop.news_read_json from ops;
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
      and r.rolname in ('mailer', 'ops')
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
  end loop;
end
$$;

revoke all on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.activity_look_v1
from public;
grant select on sequence shop.activity_v1_read_at to courier;

revoke all on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
from public;
grant execute on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
to web;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web;
grant select on sequence shop.activity_v1_produced_at to courier;

revoke all on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2, shop.activity_look_v2
from public;
grant select on sequence shop.activity_v2_read_at to courier;

revoke all on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
from public;
grant execute on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
to web;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web;
grant select on sequence shop.activity_v2_produced_at to courier;

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
grant usage on schema shop to courier, web;
grant execute on function shop.quern_handshake to courier, web;
grant execute on function shop.activity_wake, shop.activity_publish_json, shop.stream_publish to web;
grant usage on sequence shop.activity_event_number to web;
grant select on sequence shop.activity_segment to web;
grant execute on function
  shop.activity_seal, shop.activity_offset_at, shop.activity_subscribe, shop.activity_unsubscribe, shop.activity_seek, shop.activity_maintain,
  shop.activity_share, shop.activity_unshare, shop.activity_redrive_all, shop.activity_redrive, shop.activity_purge, shop.activity_peek_failed, shop.activity_blocked, shop.activity_restored, shop.activity_lag, shop.activity_stats, shop.activity_read_json,
  shop.quern_workers
to courier;
grant select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed to courier;
grant select on shop.quern_contract, shop.quern_client to courier;

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
grant usage on schema shop to courier, web;
grant execute on function shop.quern_handshake to courier, web;
grant execute on function shop.activity_wake, shop.news_publish_json, shop.stream_publish to web;
grant usage on sequence shop.activity_event_number to web;
grant select on sequence shop.activity_segment to web;
grant execute on function
  shop.news_seal, shop.news_offset_at, shop.news_subscribe, shop.news_unsubscribe, shop.news_seek, shop.activity_maintain,
  shop.news_share, shop.news_unshare, shop.news_redrive_all, shop.news_redrive, shop.news_purge, shop.news_peek_failed, shop.news_blocked, shop.activity_restored, shop.news_lag, shop.news_stats, shop.news_read_json,
  shop.quern_workers
to courier;
grant select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed to courier;
grant select on shop.quern_contract, shop.quern_client to courier;

-- reverse
revoke select on sequence shop.activity_v1_produced_at, shop.activity_v1_read_at, shop.activity_v2_produced_at, shop.activity_v2_read_at from courier;
revoke execute on function shop.activity_seal, shop.news_seal, shop.activity_offset_at, shop.news_offset_at, shop.activity_subscribe, shop.news_subscribe, shop.activity_unsubscribe, shop.news_unsubscribe, shop.activity_seek, shop.news_seek, shop.activity_maintain, shop.activity_share, shop.news_share, shop.activity_unshare, shop.news_unshare, shop.activity_redrive_all, shop.news_redrive_all, shop.activity_redrive, shop.news_redrive, shop.activity_purge, shop.news_purge, shop.activity_peek_failed, shop.news_peek_failed, shop.activity_blocked, shop.news_blocked, shop.activity_restored, shop.activity_lag, shop.news_lag, shop.activity_stats, shop.news_stats, shop.activity_read_json, shop.news_read_json from courier;
revoke select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed from courier;

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
      and r.rolname in ('courier')
    group by r.rolname
  loop
    if v_role = 'courier' and 'quern_workers' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke execute on function shop.quern_workers from courier;
    end if;
    if v_role = 'courier' and 'quern_contract' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_stats$') then
      revoke select on shop.quern_contract, shop.quern_client from courier;
    end if;
    if v_role = 'courier' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from courier;
      revoke usage on schema shop from courier;
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
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2, shop.activity_look_v2
from public;
grant execute on function
  shop.news_read_v2, shop.news_read_json_v2, shop.news_receive_v2, shop.news_receive_json_v2,
  shop.news_claim_v2, shop.news_claim_json_v2, shop.news_next_due_v2
to mailer;
grant select on sequence shop.activity_v2_read_at to ops;

revoke all on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
from public;
grant execute on function
  shop.news_wake_v2, shop.news_publish_v2, shop.news_publish_many_v2, shop.news_publish_json_v2
to web;
grant insert (contract_version, customer_id, kind) on shop.activity_event to web;
grant select on sequence shop.activity_v2_produced_at to ops;

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
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.activity_wake, shop.news_publish_json, shop.stream_publish to web;
grant usage on sequence shop.activity_event_number to web;
grant select on sequence shop.activity_segment to web;
grant execute on function
  shop.news_seal, shop.news_offset_at, shop.news_subscribe, shop.news_ack, shop.news_seek, shop.activity_maintain, shop.news_lag,
  shop.news_enlist, shop.news_nack, shop.news_extend, shop.news_release, shop.news_held, shop.news_looked_up_to, shop.news_read_json,
  shop.stream_consume, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant execute on function
  shop.news_seal, shop.news_offset_at, shop.news_subscribe, shop.news_unsubscribe, shop.news_seek, shop.activity_maintain,
  shop.news_share, shop.news_unshare, shop.news_redrive_all, shop.news_redrive, shop.news_purge, shop.news_peek_failed, shop.news_blocked, shop.activity_restored, shop.news_lag, shop.news_stats, shop.news_read_json,
  shop.quern_workers
to ops;
grant select on shop.activity_event, shop.activity_page, shop.activity_consumer, shop.activity_position, shop.activity_claim, shop.activity_failed to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.news_unsubscribe('audit');

-- reverse
select shop.news_subscribe('audit', 'start');
