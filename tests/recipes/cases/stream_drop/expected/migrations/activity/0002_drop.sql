-- quern migration: activity/0002_drop
-- Drops stream activity.

-- step: drop
-- lock: access exclusive on the queue's tables, which are dropped
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

do $$
declare
  v_used_at timestamptz;
  v_client text;
begin
  select greatest(
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v1_produced_at')),
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.activity_v1_read_at')),
    (select max(c.last_seen_at) from shop.quern_client as c where c.queue = 'activity' and c.version = 1)
  )
  into v_used_at;
  if v_used_at > pg_catalog.clock_timestamp() - interval '24 hours' then
    select pg_catalog.string_agg(pg_catalog.format('%s (role %s) at %s', c.client, c.role_name, c.last_seen_at), ', ' order by c.last_seen_at desc)
    into v_client
    from shop.quern_client as c
    where c.queue = 'activity'
      and c.version = 1;
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('contract v1 of stream "activity" was used at %s, which is less than 1d ago', v_used_at),
      detail = pg_catalog.format('It was spoken by: %s.', coalesce(v_client, 'callers that did not shake hands')),
      hint = 'Wait until its programs are gone; `sunset` of the stream says for how long nobody may have used it.';
  end if;
end
$$;

lock table shop.activity_event, shop.activity_page, shop.activity_position, shop.activity_claim, shop.activity_failed in access exclusive mode;

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
