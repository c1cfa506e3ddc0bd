-- quern migration: email/0002_drop
-- Drops queue email.

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
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.email_v1_produced_at')),
    pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('shop.email_v1_swept_at') / 1000.0),
    (select max(c.last_seen_at) from shop.quern_client as c where c.queue = 'email' and c.version = 1)
  )
  into v_used_at;
  if v_used_at > pg_catalog.clock_timestamp() - interval '24 hours' then
    select pg_catalog.string_agg(pg_catalog.format('%s (role %s) at %s', c.client, c.role_name, c.last_seen_at), ', ' order by c.last_seen_at desc)
    into v_client
    from shop.quern_client as c
    where c.queue = 'email'
      and c.version = 1;
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('contract v1 of queue "email" was used at %s, which is less than 1d ago', v_used_at),
      detail = pg_catalog.format('It was spoken by: %s.', coalesce(v_client, 'callers that did not shake hands')),
      hint = 'Wait until its programs are gone; `sunset` of the queue says for how long nobody may have used it.';
  end if;
end
$$;

lock table shop.email_message, shop.email_claim, shop.email_end, shop.email_delayed, shop.email_dead in access exclusive mode;

do $$
declare
  v_count bigint;
  v_segments bigint[];
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_live as l join shop.email_message as m on m.stamp = l.stamp and m.message_id = l.message_id where true
    union all
    select m.message_id from shop.email_delayed as m where true
    union all
    select m.message_id from shop.email_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "email" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them and purge its dead letters, or declare that they are to be discarded: messages = "discard".';
  end if;
end
$$;

drop view shop.email;
drop function
  shop.email_enqueue_json_v1, shop.email_enqueue_many_v1, shop.email_enqueue_v1, shop.email_wake_v1,
  shop.email_claim_json_v1, shop.email_claim_v1, shop.email_take_v1, shop.email_pick_v1, shop.email_next_due_v1,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json, shop.email_door,
  shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_peek,
  shop.email_restored, shop.email_maintain, shop.email_compact, shop.email_rotate, shop.email_truncate, shop.email_claimed_after, shop.email_next, shop.email_free,
  shop.email_wait_for_log, shop.email_set_apart, shop.email_finish, shop.email_begin_log,
  shop.email_stats, shop.email_pause, shop.email_resume;
drop function shop.email_cursor, shop.email_home;
drop view shop.email_live, shop.email_held, shop.email_waiting;
drop table shop.email_message, shop.email_claim, shop.email_end, shop.email_delayed, shop.email_dead;
drop sequence shop.email_message_id, shop.email_segment, shop.email_rotated_at, shop.email_maintained_at, shop.email_claim_id;
drop sequence shop.email_v1_swept_at, shop.email_v1_produced_at;
delete from shop.quern_contract where queue = 'email';
delete from shop.quern_client where queue = 'email';
delete from shop.quern_queue where queue = 'email';

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
    if v_role = 'mailer' and 'queue_dequeue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_claim_json$') then
      revoke execute on function shop.queue_dequeue, shop.queue_ack, shop.quern_queue_of from mailer;
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
    if v_role = 'web' and 'queue_enqueue' = any (v_given) and not exists (select from pg_catalog.unnest(v_given) as g (name) where g.name ~ '_enqueue_json$') then
      revoke execute on function shop.queue_enqueue from web;
    end if;
    if v_role = 'web' and 'quern_handshake' = any (v_given) and v_given <@ array['quern_handshake', 'queue_enqueue', 'queue_dequeue', 'queue_ack', 'quern_queue_of', 'quern_worker_begin', 'quern_worker_beat', 'stream_publish', 'stream_consume', 'quern_workers', 'quern_contract', 'quern_client'] then
      revoke execute on function shop.quern_handshake from web;
      revoke usage on schema shop from web;
    end if;
  end loop;
end
$$;
