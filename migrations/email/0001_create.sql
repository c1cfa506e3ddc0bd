-- quern migration: email/0001_create
-- Creates queue email: its tables, its functions for contract v1 and the rights on them.
-- roles: mailer, ops, web

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'email', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.email_message_id as bigint;

do $$
begin
  perform setval('shop.email_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'email';
end
$$;

-- A message that is ready or claimed. A claim changes lease_until and attempt, which no index holds, so that it is a
-- heap-only update: half of each page stays free for it. (message_id, attempt) is the fencing pair of an attempt, and
-- lease_until is -infinity while there is none. Whoever draws an id has a transaction id already: the low-water mark
-- depends on that order.
create table shop.email_message (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.email_message_id') end,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  order_id bigint not null,
  customer_id bigint not null,
  recipient text not null,
  channel shop.channel default 'email' not null,
  subject text not null,
  note text,
  attachments uuid[] default '{}' not null,
  send_after timestamptz,
  constraint email_message_key primary key (message_id),
  constraint email_recipient_max_length check (char_length(recipient) <= 320),
  constraint email_attachments_one_dimension check (coalesce(array_ndims(attachments), 1) = 1 and coalesce(array_lower(attachments, 1), 1) = 1),
  constraint email_attachments_no_nulls check (array_ndims(attachments) > 1 or array_position(attachments, null) is null),
  constraint email_contract_version_known check (contract_version = 1)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table shop.email_message is 'Transactional mail that has to be sent.';

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.email_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.email_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  customer_id bigint not null,
  recipient text not null,
  channel shop.channel default 'email' not null,
  subject text not null,
  note text,
  attachments uuid[] default '{}' not null,
  send_after timestamptz,
  constraint email_delayed_key primary key (message_id),
  constraint email_recipient_max_length check (char_length(recipient) <= 320),
  constraint email_attachments_one_dimension check (coalesce(array_ndims(attachments), 1) = 1 and coalesce(array_lower(attachments, 1), 1) = 1),
  constraint email_attachments_no_nulls check (array_ndims(attachments) > 1 or array_position(attachments, null) is null),
  constraint email_contract_version_known check (contract_version = 1)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index email_delayed_due on shop.email_delayed (due_at, message_id);
comment on table shop.email_delayed is 'Messages of queue email that are delayed or were tried before.';

create table shop.email_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  order_id bigint not null,
  customer_id bigint not null,
  recipient text not null,
  channel shop.channel default 'email' not null,
  subject text not null,
  note text,
  attachments uuid[] default '{}' not null,
  send_after timestamptz,
  constraint email_dead_key primary key (message_id)
);
comment on table shop.email_dead is 'Messages of queue email whose last attempt failed.';

-- Where a scan of email_message may begin, so that it need not pass over rows that are dead or claimed. Sequences,
-- because these are not transactional and cannot bloat. A wrong hint costs time, never a message: see the pick
-- functions, each of which has a frontier of its own.
create sequence shop.email_low_water as bigint minvalue 0;
create sequence shop.email_mark as bigint minvalue 0;
create sequence shop.email_mark_xid as bigint minvalue 0;
comment on sequence shop.email_low_water is 'No message below this id is ready or claimed.';
comment on sequence shop.email_mark is 'The last message id drawn when the candidate for the low-water mark was taken.';
comment on sequence shop.email_mark_xid is 'Every transaction that may hold an id up to the mark is older than this one.';

-- The queue's ids begin there.
do $$
begin
  perform
    setval('shop.email_low_water', q.number * 10000000000000),
    setval('shop.email_mark', q.number * 10000000000000)
  from shop.quern_queue as q
  where q.queue = 'email';
end
$$;

-- Here as in every function the search path ends with pg_temp: with an empty one the caller's temporary types would come
-- first, and be used with the owner's rights.
create function shop.email_wake()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Consumers share this lock while they wait. A NOTIFY serialises commits, so it is sent only if someone waits.
  if pg_try_advisory_lock(442101236578160834) then
    perform pg_advisory_unlock(442101236578160834);
  else
    perform pg_notify('shop.email', '');
  end if;
end
$$;
comment on function shop.email_wake() is 'Wakes a waiting consumer when this transaction commits.';

-- Ends the leases of what dead workers hold: their session is gone, and with it the lock that it held as long as it lived. Of
-- a worker that is found dead that is done once. One that goes on over another connection can still acknowledge what nobody
-- else has claimed by then.
create function shop.email_free_dead()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_sessions bigint[];
  v_low_water constant bigint := coalesce(pg_sequence_last_value('shop.email_low_water'), 0);
  v_frontier constant bigint := greatest(pg_sequence_last_value('shop.email_v1_frontier'));
begin
  with dead as (
    update shop.quern_worker as w
    set is_freed = true
    where w.worker_id = any (array(
      select o.worker_id
      from shop.quern_worker as o
      where o.queue in ('email')
        and not o.is_freed
        and o.backend_pid <> pg_backend_pid()
        and o.session_key is not null
        and pg_try_advisory_xact_lock_shared(o.session_key)
      for update skip locked
    ))
    returning w.session_key
  )
  select array_agg(d.session_key)
  into v_sessions
  from dead as d;
  if v_sessions is null then
    return;
  end if;

  -- Not later than what a claim that called this calls now.
  update shop.email_message as m
  set lease_until = now()
  where m.message_id = any (array(
    select o.message_id
    from shop.email_message as o
    where o.quern_session = any (v_sessions)
      and o.message_id >= v_low_water
      and o.message_id < v_frontier
      and o.lease_until > now()
      and o.contract_version <= 1
    for update skip locked
  ));
  -- Wherever that is: the next sweep goes all of the way.
  perform setval('shop.email_v1_swept_at', 0);
  update shop.email_delayed as d
  set lease_until = now(),
    due_at = now()
  where d.message_id = any (array(
    select o.message_id
    from shop.email_delayed as o
    where o.quern_session = any (v_sessions)
      and o.lease_until > now()
      and o.contract_version <= 1
    for update skip locked
  ));
  perform shop.email_wake();
end
$$;

-- The low-water mark may rise to the smallest live id only when nothing smaller can still appear. So the last id that was
-- drawn is noted as the mark, and with it a transaction id that is drawn after reading it: whoever holds an id up to the
-- mark drew an older one before (see email_message). When every older transaction has ended, nothing unseen is left
-- below the mark. (The snapshot's xmax would not do: transactions beyond it may be running.)
-- All of it is for a transaction that has not written yet: another has its transaction id already, and does not see the
-- messages that it has ended itself and that a rollback would bring back.
-- One session does it at a time. The transaction id is written first: a crash never leaves a mark with an older one.
create function shop.email_advance_low_water()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_last_drawn bigint;
  v_own_xid bigint;
  v_mark bigint;
  v_mark_xid bigint;
  v_low_water bigint;
begin
  if pg_current_xact_id_if_assigned() is not null or not pg_try_advisory_xact_lock(442101236578160834 + 1) then
    return;
  end if;
  v_mark := coalesce(pg_sequence_last_value('shop.email_mark'), 0);
  v_last_drawn := coalesce(pg_sequence_last_value('shop.email_message_id'), v_mark);
  v_own_xid := pg_current_xact_id()::text::bigint;
  perform shop.email_free_dead();

  v_mark_xid := coalesce(pg_sequence_last_value('shop.email_mark_xid'), 0);
  -- After a restore into another cluster transaction ids begin again: a mark from the future is taken anew.
  if v_mark_xid < v_own_xid then
    if pg_snapshot_xmin(pg_current_snapshot())::text::bigint < v_mark_xid then
      return;
    end if;
    v_low_water := coalesce(pg_sequence_last_value('shop.email_low_water'), 0);
    -- Not min(): planned while the table was empty, that would read all of it.
    v_low_water := least(v_mark, (
      select m.message_id
      from shop.email_message as m
      where m.message_id >= v_low_water
      order by m.message_id
      limit 1
    ));
    perform setval('shop.email_low_water', v_low_water);
  end if;

  perform setval('shop.email_mark_xid', v_own_xid);
  perform setval('shop.email_mark', v_last_drawn);
end
$$;

-- Ends messages that have no attempt left, and returns how many. Like all that moves messages it leaves alone those of
-- contracts that came after it: a session may still run it when there is a newer one.
create function shop.email_bury(p_message_ids bigint[], p_error text)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
begin atomic
  with ended as (
    delete from shop.email_message as m
    where m.message_id = any (p_message_ids)
      and m.attempt - m.release_count >= 4
      and m.contract_version <= 1
    returning m.message_id, m.enqueued_at, m.attempt, m.contract_version, m.order_id, m.customer_id, m.recipient, m.channel, m.subject, m.note, m.attachments, m.send_after
  ), ended_late as (
    delete from shop.email_delayed as d
    where d.message_id = any (p_message_ids)
      and d.attempt - d.release_count >= 4
      and d.contract_version <= 1
    returning d.message_id, d.enqueued_at, d.attempt, d.contract_version, d.order_id, d.customer_id, d.recipient, d.channel, d.subject, d.note, d.attachments, d.send_after
  ), buried as (
    insert into shop.email_dead (message_id, enqueued_at, attempt, contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after, last_error)
    select e.*, p_error
    from ended as e
    union all
    select e.*, p_error
    from ended_late as e
    returning message_id
  )
  select count(*)
  from buried;
end;

create sequence shop.email_v1_frontier as bigint minvalue 0;
create sequence shop.email_v1_swept_at as bigint minvalue 0;
create sequence shop.email_v1_produced_at as bigint minvalue 0;
comment on sequence shop.email_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.email_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.email_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('email', 1, 'dd5c11e15042d963d9debf0e4b073de02ea1a7922b3a3711ca998adb75c2c35b')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

-- The messages that a claim may have, locked until the end of the transaction: first those that are due, then from the
-- frontier on. At most every 100 ms the scan begins at the low-water mark instead, and finds what came back, ran out or
-- committed late; once a minute it begins at the very start, whatever the hints say, and corrects them. Where very many
-- are held or gone between the mark and the frontier, claims that are filled go all of this way more rarely, every five
-- seconds at least, and the last 10,000 ids of it otherwise, where late commits are: it must not be all that they do. When little is
-- left beyond the frontier and the way is short, what lies behind it is looked at every time. What this contract cannot
-- read stays for another one. The settings of its callers hold.
create function shop.email_pick_v1(p_count integer, out due_ids bigint[], out fresh_ids bigint[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_now_ms constant bigint := date_part('epoch', v_now) * 1000;
  v_count integer;
  v_swept_at bigint;
  v_is_sweep boolean;
  v_low_water bigint;
  v_frontier bigint;
  v_begin bigint;
  v_whole_ms bigint;
  v_last bigint;
begin
  if p_count is null or p_count < 1 then
    raise exception using
      errcode = 'QN005',
      message = 'the number of messages to claim must be at least 1';
  end if;
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'messages can be claimed in a READ COMMITTED transaction only',
      hint = 'Claim in a transaction of its own, or begin this one with READ COMMITTED: see default_transaction_isolation.';
  end if;
  if exists (select from shop.quern_queue as q where q.queue = 'email' and q.paused_at is not null) then
    return;
  end if;

  v_swept_at := coalesce(pg_sequence_last_value('shop.email_v1_swept_at'), 0);
  v_is_sweep := v_now_ms - v_swept_at not between 0 and 99;
  if v_is_sweep then
    perform shop.email_advance_low_water();
    v_swept_at := least(v_swept_at, pg_sequence_last_value('shop.email_v1_swept_at'));
  end if;

  due_ids := array(
    select d.message_id
    from shop.email_delayed as d
    where d.due_at <= v_now
      and d.contract_version = 1
    order by d.due_at, d.message_id
    limit p_count
    for update skip locked
  );
  v_count := p_count - cardinality(due_ids);
  if v_count = 0 then
    return;
  end if;

  v_frontier := coalesce(pg_sequence_last_value('shop.email_v1_frontier'), 0);
  v_begin := v_frontier;
  if v_is_sweep then
    v_low_water := coalesce(pg_sequence_last_value('shop.email_low_water'), 0);
    perform setval('shop.email_v1_swept_at', v_now_ms);
    if v_now_ms / 60000 <> v_swept_at / 60000 then
      v_low_water := least(v_low_water, (
        select m.message_id
        from shop.email_message as m
        order by m.message_id
        limit 1
      ));
      perform setval('shop.email_low_water', v_low_water);
    end if;
    v_whole_ms := greatest(100, least((v_frontier - v_low_water) / 100, 5000));
    v_begin := case when v_now_ms / v_whole_ms = v_swept_at / v_whole_ms then v_frontier - 10000 else v_low_water end;
  end if;

  loop
    fresh_ids := array(
      select m.message_id
      from shop.email_message as m
      where m.message_id >= v_begin
        and m.lease_until <= v_now
        and m.contract_version = 1
      order by m.message_id
      limit v_count
      for update skip locked
    );
    exit when not v_is_sweep or v_begin <= v_low_water or cardinality(fresh_ids) = v_count;
    v_begin := v_low_water;
  end loop;
  v_last := fresh_ids[cardinality(fresh_ids)];
  v_count := v_count - cardinality(fresh_ids);
  if v_count > 0 and not v_is_sweep then
    v_low_water := coalesce(pg_sequence_last_value('shop.email_low_water'), 0);
    if v_frontier - v_low_water <= 10000 then
      fresh_ids := array(
        select m.message_id
        from shop.email_message as m
        where m.message_id >= v_low_water
          and m.message_id < v_frontier
          and m.lease_until <= v_now
          and m.contract_version = 1
        order by m.message_id
        limit v_count
        for update skip locked
      ) || fresh_ids;
    end if;
  end if;

  if fresh_ids[1] < pg_sequence_last_value('shop.email_low_water') then
    perform setval('shop.email_low_water', fresh_ids[1]);
  end if;
  -- A sweep that was filled has left more behind: the next claims go on where it stopped.
  if v_last >= coalesce(pg_sequence_last_value('shop.email_v1_frontier'), 0) or (v_is_sweep and v_count = 0) then
    perform setval('shop.email_v1_frontier', v_last + 1);
  end if;
end
$$;

create function shop.email_claim_v1(p_count integer default 1, p_lease interval default null)
returns table (
  message_id bigint,
  attempt integer,
  enqueued_at timestamptz,
  lease_until timestamptz,
  order_id bigint,
  customer_id bigint,
  recipient text,
  channel shop.channel,
  subject text,
  note text,
  attachments uuid[],
  send_after timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_lease_until timestamptz;
  v_session constant bigint := case when current_setting('quern.session', true) !~ '^-?[0-9]+$' then null when abs(current_setting('quern.session', true)::numeric) < 9223372036854775808 then current_setting('quern.session', true)::bigint end;
  v_due_ids bigint[];
  v_fresh_ids bigint[];
  v_picked record;
  v_left integer := p_count;
  v_count integer;
  v_is_buried boolean;
begin
  if p_lease <= interval '0' or p_lease > interval '100000 years' or now() + p_lease <= now() then
    raise exception using
      errcode = 'QN005',
      message = 'a lease must be longer than nothing, and 100000 years at most';
  end if;
  v_lease_until := clock_timestamp() + coalesce(p_lease, interval '30 seconds');
  -- Once, or again for what is left when some of them had to be buried. When that has taken longer than the lease, what was
  -- given before is due again, but has that lease.
  loop
    v_is_buried := false;
    v_picked := shop.email_pick_v1(v_left);
    v_due_ids := v_picked.due_ids;
    v_fresh_ids := v_picked.fresh_ids;

    if cardinality(v_due_ids) > 0 then
      return query
      update shop.email_delayed as d
      set lease_until = v_lease_until,
        due_at = v_lease_until,
        attempt = d.attempt + 1,
        quern_session = v_session
      where d.message_id = any (v_due_ids)
        and d.contract_version = 1
        and d.lease_until < v_lease_until
        and d.attempt - d.release_count < 4
      returning d.message_id, d.attempt, d.enqueued_at, d.lease_until, d.order_id, d.customer_id, d.recipient, d.channel, d.subject, d.note, d.attachments, d.send_after;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_due_ids) then
        v_is_buried := shop.email_bury(array(
          select d.message_id
          from shop.email_delayed as d
          where d.message_id = any (v_due_ids)
            and d.lease_until < v_lease_until
        ), 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    if cardinality(v_fresh_ids) > 0 then
      return query
      update shop.email_message as m
      set lease_until = v_lease_until,
        attempt = m.attempt + 1,
        quern_session = v_session
      where m.message_id = any (v_fresh_ids)
        and m.contract_version = 1
        and m.lease_until < v_lease_until
        and m.attempt - m.release_count < 4
      returning m.message_id, m.attempt, m.enqueued_at, m.lease_until, m.order_id, m.customer_id, m.recipient, m.channel, m.subject, m.note, m.attachments, m.send_after;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_fresh_ids) then
        v_is_buried := shop.email_bury(array(
          select m.message_id
          from shop.email_message as m
          where m.message_id = any (v_fresh_ids)
            and m.lease_until < v_lease_until
        ), 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    exit when not v_is_buried or v_left = 0;
  end loop;
end
$$;
comment on function shop.email_claim_v1 is 'Claims up to p_count messages for p_lease (default email''s lease): end each with ack, nack or release of this attempt.';

create function shop.email_claim_json_v1(p_count integer default 1, p_lease interval default null)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
begin atomic
  select
    c.message_id,
    c.attempt,
    c.enqueued_at,
    (select to_jsonb(payload.*) from (select c.order_id, c.customer_id, c.recipient, c.channel, c.subject, c.note, c.attachments, c.send_after) as payload)
  from shop.email_claim_v1(p_count, p_lease) as c;
end;
comment on function shop.email_claim_json_v1 is 'As email_claim_v1, with the payload as one JSON object.';

create function shop.email_take_v1(p_count integer default 1)
returns table (
  message_id bigint,
  attempt integer,
  enqueued_at timestamptz,
  order_id bigint,
  customer_id bigint,
  recipient text,
  channel shop.channel,
  subject text,
  note text,
  attachments uuid[],
  send_after timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_due_ids bigint[];
  v_fresh_ids bigint[];
  v_picked record;
  v_left integer := p_count;
  v_count integer;
  v_is_buried boolean;
begin
  -- Once, or again for what is left when some of them had to be buried.
  loop
    v_is_buried := false;
    v_picked := shop.email_pick_v1(v_left);
    v_due_ids := v_picked.due_ids;
    v_fresh_ids := v_picked.fresh_ids;

    if cardinality(v_due_ids) > 0 then
      return query
      delete from shop.email_delayed as d
      where d.message_id = any (v_due_ids)
        and d.contract_version = 1
        and d.attempt - d.release_count < 4
      returning d.message_id, d.attempt + 1, d.enqueued_at, d.order_id, d.customer_id, d.recipient, d.channel, d.subject, d.note, d.attachments, d.send_after;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_due_ids) then
        v_is_buried := shop.email_bury(v_due_ids, 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    if cardinality(v_fresh_ids) > 0 then
      return query
      delete from shop.email_message as m
      where m.message_id = any (v_fresh_ids)
        and m.contract_version = 1
        and m.attempt - m.release_count < 4
      returning m.message_id, m.attempt + 1, m.enqueued_at, m.order_id, m.customer_id, m.recipient, m.channel, m.subject, m.note, m.attachments, m.send_after;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_fresh_ids) then
        v_is_buried := shop.email_bury(v_fresh_ids, 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    exit when not v_is_buried or v_left = 0;
  end loop;
end
$$;
comment on function shop.email_take_v1 is 'Claims and ends up to p_count messages in the caller''s transaction: commit is the ack, rollback gives them back.';

create function shop.email_next_due_v1()
returns timestamptz
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select min(d.due_at)
  from shop.email_delayed as d
  where d.contract_version = 1
    and not exists (select from shop.quern_queue as q where q.queue = 'email' and q.paused_at is not null);
end;
comment on function shop.email_next_due_v1 is 'When the next delayed message is due that consumers of contract v1 can read; null when there is none, and while the queue is paused.';

revoke all on function
  shop.email_pick_v1, shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
from public;
grant execute on function
  shop.email_claim_v1, shop.email_claim_json_v1, shop.email_take_v1, shop.email_next_due_v1
to mailer;
grant select on sequence shop.email_v1_swept_at to ops;

create function shop.email_wake_v1()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform setval('shop.email_v1_produced_at', floor(date_part('epoch', now()))::bigint);
  perform shop.email_wake();
end
$$;
comment on function shop.email_wake_v1() is 'As email_wake, by a producer of contract v1; called after COPY.';

-- The one function without a search path of its own, which would cost a tenth of the call: every name is qualified.
create function shop.email_enqueue_v1(
  p_order_id bigint,
  p_customer_id bigint,
  p_recipient text,
  p_subject text,
  p_channel shop.channel default 'email',
  p_note text default null,
  p_attachments uuid[] default '{}',
  p_send_after timestamptz default null,
  p_delay interval default null
) returns bigint
language plpgsql security definer
as $$
declare
  v_message_id bigint;
  v_is_unlocked boolean;
begin
  if p_delay operator(pg_catalog.>) interval '0' then
    if p_delay operator(pg_catalog.>) interval '100000 years' then
      raise exception using
        errcode = 'QN005',
        message = 'a delay cannot be longer than 100000 years';
    end if;
    insert into shop.email_delayed as d (due_at, contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
    values (pg_catalog.clock_timestamp() operator(pg_catalog.+) p_delay, 1, p_order_id, p_customer_id, p_recipient, p_channel, p_subject, p_note, p_attachments, p_send_after)
    returning d.message_id into v_message_id;
  elsif p_delay operator(pg_catalog.<) interval '0' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be negative';
  else
    insert into shop.email_message as m (contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
    values (1, p_order_id, p_customer_id, p_recipient, p_channel, p_subject, p_note, p_attachments, p_send_after)
    returning m.message_id into v_message_id;
  end if;

  -- When a producer last used this contract, to the minute.
  if (pg_catalog.pg_sequence_last_value('shop.email_v1_produced_at') operator(pg_catalog.>) (pg_catalog.date_part('epoch', pg_catalog.now()) operator(pg_catalog.-) 60)) is not true then
    perform pg_catalog.setval('shop.email_v1_produced_at', pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.now()))::bigint);
  end if;

  -- As in email_wake, written out because a call would cost more than all of it.
  if pg_catalog.pg_try_advisory_lock(442101236578160834) then
    v_is_unlocked := pg_catalog.pg_advisory_unlock(442101236578160834);
  else
    perform pg_catalog.pg_notify('shop.email', '');
  end if;
  return v_message_id;
end
$$;
comment on function shop.email_enqueue_v1 is 'Enqueues a message and returns its id; with p_delay it is not handed out before that has passed.';

-- One array a field, all of the same length; an array field takes text, each element an array in its text form.
create function shop.email_enqueue_many_v1(
  p_order_id bigint[],
  p_customer_id bigint[],
  p_recipient text[],
  p_subject text[],
  p_channel shop.channel[] default null,
  p_note text[] default null,
  p_attachments text[] default null,
  p_send_after timestamptz[] default null,
  p_delay interval default null
) returns bigint[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message_ids bigint[];
begin
  if greatest(cardinality(p_order_id), cardinality(p_customer_id), cardinality(p_recipient), cardinality(p_channel), cardinality(p_subject), cardinality(p_note), cardinality(p_attachments), cardinality(p_send_after))
    is distinct from least(cardinality(p_order_id), cardinality(p_customer_id), cardinality(p_recipient), cardinality(p_channel), cardinality(p_subject), cardinality(p_note), cardinality(p_attachments), cardinality(p_send_after)) then
    raise exception using
      errcode = 'QN005',
      message = 'the arrays of email_enqueue_many_v1 differ in length';
  end if;

  if p_delay < interval '0' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be negative';
  elsif p_delay > interval '100000 years' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be longer than 100000 years';
  end if;

  if p_delay > interval '0' then
    with added as (
      insert into shop.email_delayed as d (due_at, contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
      select clock_timestamp() + p_delay, 1, t.order_id, t.customer_id, t.recipient, coalesce(t.channel, 'email'), t.subject, t.note, coalesce(t.attachments::uuid[], '{}'), t.send_after
      from unnest(p_order_id, p_customer_id, p_recipient, p_channel, p_subject, p_note, p_attachments, p_send_after) with ordinality as t(order_id, customer_id, recipient, channel, subject, note, attachments, send_after, quern_rank)
      order by t.quern_rank
      returning d.message_id
    )
    select array_agg(a.message_id order by a.message_id)
    into v_message_ids
    from added as a;
  else
    with added as (
      insert into shop.email_message as m (contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
      select 1, t.order_id, t.customer_id, t.recipient, coalesce(t.channel, 'email'), t.subject, t.note, coalesce(t.attachments::uuid[], '{}'), t.send_after
      from unnest(p_order_id, p_customer_id, p_recipient, p_channel, p_subject, p_note, p_attachments, p_send_after) with ordinality as t(order_id, customer_id, recipient, channel, subject, note, attachments, send_after, quern_rank)
      order by t.quern_rank
      returning m.message_id
    )
    select array_agg(a.message_id order by a.message_id)
    into v_message_ids
    from added as a;
  end if;

  perform shop.email_wake_v1();
  return coalesce(v_message_ids, '{}');
end
$$;
comment on function shop.email_enqueue_many_v1 is 'Enqueues a message for each place of the arrays and returns the ids in that order.';

create function shop.email_enqueue_json_v1(p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
begin
  perform shop.quern_check_payload('email', p_payload, '{"order_id": "number", "customer_id": "number", "recipient": "string", "channel": "string?", "subject": "string", "note": "string?", "attachments": "array?", "send_after": "string?"}');
  return shop.email_enqueue_v1(
    p_order_id => (p_payload ->> 'order_id')::bigint,
    p_customer_id => (p_payload ->> 'customer_id')::bigint,
    p_recipient => p_payload ->> 'recipient',
    p_channel => coalesce((p_payload ->> 'channel')::shop.channel, 'email'),
    p_subject => p_payload ->> 'subject',
    p_note => p_payload ->> 'note',
    p_attachments => coalesce(case when jsonb_typeof(p_payload -> 'attachments') = 'array' then array(select e.value::uuid from jsonb_array_elements_text(p_payload -> 'attachments') with ordinality as e(value, place) order by e.place) end, '{}'),
    p_send_after => (p_payload ->> 'send_after')::timestamptz,
    p_delay => p_delay
  );
end
$$;
comment on function shop.email_enqueue_json_v1 is 'Enqueues a message out of a JSON object, which is checked against the contract.';

revoke all on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
from public;
grant execute on function
  shop.email_wake_v1, shop.email_enqueue_v1, shop.email_enqueue_many_v1, shop.email_enqueue_json_v1
to web;
grant insert (contract_version, order_id, customer_id, recipient, channel, subject, note, attachments, send_after) on shop.email_message to web;
grant select on sequence shop.email_v1_produced_at to ops;

create function shop.email_ack(p_message_id bigint, p_attempt integer)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  -- A claim that follows in this transaction cannot raise the low-water mark any more.
  if date_part('epoch', clock_timestamp()) * 1000 - greatest(pg_sequence_last_value('shop.email_v1_swept_at')) not between 0 and 99 then
    perform shop.email_advance_low_water();
  end if;

  delete from shop.email_message as m
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    return true;
  end if;

  delete from shop.email_delayed as d
  where d.message_id = p_message_id
    and d.attempt = p_attempt
    and d.lease_until > '-infinity';
  return found;
end
$$;
comment on function shop.email_ack is 'Ends a message as handled; false, and nothing changes, when this attempt is no longer the current one.';

create function shop.email_ack_many(p_message_ids bigint[], p_attempts integer[])
returns bigint[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_ended bigint[];
  v_ended_late bigint[];
begin
  -- A claim that follows in this transaction cannot raise the low-water mark any more.
  if date_part('epoch', clock_timestamp()) * 1000 - greatest(pg_sequence_last_value('shop.email_v1_swept_at')) not between 0 and 99 then
    perform shop.email_advance_low_water();
  end if;

  with ended as (
    delete from shop.email_message as m
    using unnest(p_message_ids, p_attempts) as a(message_id, attempt)
    where m.message_id = a.message_id
      and m.attempt = a.attempt
      and m.lease_until > '-infinity'
    returning m.message_id
  )
  select array_agg(e.message_id)
  into v_ended
  from ended as e;
  if cardinality(v_ended) = cardinality(p_message_ids) then
    return '{}';
  end if;

  with ended as (
    delete from shop.email_delayed as d
    using unnest(p_message_ids, p_attempts) as a(message_id, attempt)
    where d.message_id = a.message_id
      and d.attempt = a.attempt
      and d.lease_until > '-infinity'
    returning d.message_id
  )
  select array_agg(e.message_id)
  into v_ended_late
  from ended as e;
  return array(
    select a.message_id
    from unnest(p_message_ids) as a(message_id)
    where a.message_id <> all (coalesce(v_ended || v_ended_late, v_ended, v_ended_late, '{}'))
  );
end
$$;
comment on function shop.email_ack_many is 'Ends messages as handled and returns the ids of those whose attempt is no longer the current one.';

create function shop.email_retry_delay(p_attempt integer)
returns interval
language sql volatile
set search_path = pg_catalog, pg_temp
begin atomic
  select least(interval '1 hour', interval '200 milliseconds' * power(2, least(p_attempt - 1, 15))) * (1 - 0.2 * random());
end;
comment on function shop.email_retry_delay is 'How long a message waits after its p_attempt-th failure.';

create function shop.email_nack(p_message_id bigint, p_attempt integer, p_error text default null, p_delay interval default null)
returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
declare
  v_is_fresh boolean;
  v_attempt integer;
  v_due_at timestamptz;
begin
  if p_delay < interval '0' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be negative';
  elsif p_delay > interval '100000 years' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be longer than 100000 years';
  end if;

  select m.attempt - m.release_count
  into v_attempt
  from shop.email_message as m
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity'
    and m.contract_version <= 1
  for update;
  v_is_fresh := found;
  if not v_is_fresh then
    select d.attempt - d.release_count
    into v_attempt
    from shop.email_delayed as d
    where d.message_id = p_message_id
      and d.attempt = p_attempt
      and d.lease_until > '-infinity'
      and d.contract_version <= 1
    for update;
    if not found then
      return 'lost';
    end if;
  end if;

  if v_attempt >= 4 then
    perform shop.email_bury(array[p_message_id], p_error);
    return 'dead';
  end if;

  v_due_at := clock_timestamp() + coalesce(p_delay, shop.email_retry_delay(v_attempt));
  if v_is_fresh then
    with failed as (
      delete from shop.email_message as m
      where m.message_id = p_message_id
      returning m.*
    )
    insert into shop.email_delayed (message_id, due_at, enqueued_at, attempt, release_count, contract_version, last_error, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
    select f.message_id, v_due_at, f.enqueued_at, f.attempt, f.release_count, f.contract_version, p_error, f.order_id, f.customer_id, f.recipient, f.channel, f.subject, f.note, f.attachments, f.send_after
    from failed as f;
  else
    update shop.email_delayed as d
    set due_at = v_due_at,
      lease_until = '-infinity',
      last_error = p_error
    where d.message_id = p_message_id;
  end if;
  perform shop.email_wake();
  return 'retry';
end
$$;
comment on function shop.email_nack is 'Ends an attempt as failed: ''retry'' after p_delay or the queue''s backoff, ''dead'' or ''dropped'' after the last, ''lost'' when it is no longer the current one.';

create function shop.email_extend(p_message_id bigint, p_attempt integer, p_lease interval default null)
returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
declare
  v_lease_until timestamptz;
begin
  if p_lease <= interval '0' or p_lease > interval '100000 years' or now() + p_lease <= now() then
    raise exception using
      errcode = 'QN005',
      message = 'a lease must be longer than nothing, and 100000 years at most';
  end if;
  v_lease_until := clock_timestamp() + coalesce(p_lease, interval '30 seconds');

  update shop.email_message as m
  set lease_until = v_lease_until
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    return v_lease_until;
  end if;

  update shop.email_delayed as d
  set lease_until = v_lease_until,
    due_at = v_lease_until
  where d.message_id = p_message_id
    and d.attempt = p_attempt
    and d.lease_until > '-infinity';
  if found then
    return v_lease_until;
  end if;
  return null;
end
$$;
comment on function shop.email_extend is 'Lets a lease run for p_lease from now on and returns its new end; null when this attempt is no longer the current one.';

create function shop.email_release(p_message_id bigint, p_attempt integer)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  update shop.email_message as m
  set lease_until = '-infinity',
    release_count = m.release_count + 1
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    if p_message_id < pg_sequence_last_value('shop.email_v1_frontier') then
      perform setval('shop.email_v1_frontier', p_message_id);
    end if;
  else
    update shop.email_delayed as d
    set due_at = clock_timestamp(),
      lease_until = '-infinity',
      release_count = d.release_count + 1
    where d.message_id = p_message_id
      and d.attempt = p_attempt
      and d.lease_until > '-infinity';
    if not found then
      return false;
    end if;
  end if;
  perform shop.email_wake();
  return true;
end
$$;
comment on function shop.email_release is 'Gives a message back at once without counting the attempt; false when this attempt is no longer the current one.';

create function shop.email_attempt(p_message_id bigint)
returns integer
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
begin atomic
  select m.attempt
  from shop.email_message as m
  where m.message_id = p_message_id
    and m.lease_until > '-infinity'
  union all
  select d.attempt
  from shop.email_delayed as d
  where d.message_id = p_message_id
    and d.lease_until > '-infinity';
end;
comment on function shop.email_attempt is 'The current attempt on a message; null when nobody has claimed it.';

create function shop.email_cancel(p_message_id bigint)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  delete from shop.email_message as m
  where m.message_id = p_message_id
    and m.lease_until <= clock_timestamp();
  if found then
    return true;
  end if;

  -- In a statement that begins after that: an attempt that failed meanwhile has brought it here.
  delete from shop.email_delayed as d
  where d.message_id = p_message_id
    and d.lease_until <= clock_timestamp();
  return found;
end
$$;
comment on function shop.email_cancel is 'Deletes a message that waits; false when it is being handled, has ended or was never there.';

-- In the order of their ids, so that with p_count a call goes on where the one before it ended.
create function shop.email_cancel_all(p_count bigint default null, p_enqueued_until timestamptz default 'infinity')
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_fresh bigint;
  v_delayed bigint;
begin
  if p_count < 0 then
    raise exception using
      errcode = 'QN005',
      message = 'a number of messages cannot be negative';
  end if;
  -- What somebody is about to claim or to take is left to him.
  delete from shop.email_message as m
  where m.message_id = any (array(
    select w.message_id
    from shop.email_message as w
    where w.lease_until <= clock_timestamp()
      and w.enqueued_at <= p_enqueued_until
    order by w.message_id
    limit p_count
    for update skip locked
  ));
  get diagnostics v_fresh = row_count;
  delete from shop.email_delayed as d
  where d.message_id = any (array(
    select w.message_id
    from shop.email_delayed as w
    where w.lease_until <= clock_timestamp()
      and w.enqueued_at <= p_enqueued_until
    order by w.message_id
    limit p_count - v_fresh
    for update skip locked
  ));
  get diagnostics v_delayed = row_count;
  return v_fresh + v_delayed;
end
$$;
comment on function shop.email_cancel_all is 'Deletes all messages that wait, or p_count of them, which were enqueued until p_enqueued_until, and returns how many.';

-- The columns of other contracts than a message's own are null. Planned with the arguments: without ids no index is looked into,
-- and for dead letters alone nothing else.
create function shop.email_peek(p_states text[] default '{ready, delayed}', p_count integer default 20, p_message_ids bigint[] default null)
returns table (
  message_id bigint,
  state text,
  attempt integer,
  enqueued_at timestamptz,
  until timestamptz,
  contract_version smallint,
  last_error text,
  payload jsonb
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
  if p_count < 0 then
    raise exception using
      errcode = 'QN005',
      message = 'a number of messages cannot be negative';
  end if;
  return query
  select p.*
  from (
    (
      select
        m.message_id,
        s.state,
        m.attempt,
        m.enqueued_at,
        case when s.state = 'leased' then l.lease_until end as until,
        m.contract_version,
        null::text as last_error,
        (select to_jsonb(c.*) from (select m.order_id, m.customer_id, m.recipient, m.channel, m.subject, m.note, m.attachments, m.send_after) as c) as payload
      from shop.email_message as m
      cross join lateral (select m.lease_until) as l
      cross join lateral (select case when l.lease_until > clock_timestamp() then 'leased' else 'ready' end) as s (state)
      where (p_message_ids is null or m.message_id = any (p_message_ids))
        and p_states && '{ready, leased}'
        and s.state = any (p_states)
      order by m.message_id
      limit p_count
    )
    union all
    (
      select
        d.message_id,
        s.state,
        d.attempt,
        d.enqueued_at,
        case when s.state = 'leased' then d.lease_until else d.due_at end,
        d.contract_version,
        d.last_error,
        (select to_jsonb(c.*) from (select d.order_id, d.customer_id, d.recipient, d.channel, d.subject, d.note, d.attachments, d.send_after) as c)
      from shop.email_delayed as d
      cross join lateral (
        select
          case
            when d.lease_until > clock_timestamp() then 'leased'
            when d.due_at > clock_timestamp() then 'delayed'
            else 'ready'
          end
      ) as s (state)
      where (p_message_ids is null or d.message_id = any (p_message_ids))
        and s.state = any (p_states)
      order by d.due_at, d.message_id
      limit p_count
    )
    union all
    (
      select
        e.message_id,
        'dead',
        e.attempt,
        e.enqueued_at,
        e.dead_at,
        e.contract_version,
        e.last_error,
        (select to_jsonb(c.*) from (select e.order_id, e.customer_id, e.recipient, e.channel, e.subject, e.note, e.attachments, e.send_after) as c)
      from shop.email_dead as e
      where (p_message_ids is null or e.message_id = any (p_message_ids))
        and 'dead' = any (p_states)
      order by e.message_id
      limit p_count
    )
  ) as p
  limit p_count;
end
$$;
comment on function shop.email_peek is 'Messages in these states (ready, delayed, leased, dead), or of these those with p_message_ids, as they are stored; claims nothing.';

create function shop.email_redrive_all(p_count integer default null, p_message_id bigint default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_count bigint;
begin
  if p_count < 0 then
    raise exception using
      errcode = 'QN005',
      message = 'a number of dead letters cannot be negative';
  end if;
  -- The number of the attempt goes on, because it fences; the tries begin again, because all are counted as released.
  with revived as (
    delete from shop.email_dead as d
    where d.message_id = any (array(
      select e.message_id
      from shop.email_dead as e
      where (p_message_id is null or e.message_id = p_message_id)
        and e.contract_version <= 1
      order by e.message_id
      limit p_count
      for update skip locked
    ))
    returning d.*
  )
  insert into shop.email_delayed (message_id, due_at, enqueued_at, attempt, release_count, quern_session, contract_version, last_error, order_id, customer_id, recipient, channel, subject, note, attachments, send_after)
  select r.message_id, clock_timestamp(), r.enqueued_at, r.attempt, r.attempt, null, r.contract_version, r.last_error, r.order_id, r.customer_id, r.recipient, r.channel, r.subject, r.note, r.attachments, r.send_after
  from revived as r;
  get diagnostics v_count = row_count;

  perform shop.email_wake();
  return v_count;
end
$$;
comment on function shop.email_redrive_all is 'Gives dead letters, the oldest first, all their attempts again and returns how many.';

create function shop.email_redrive(p_message_id bigint)
returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select case when p_message_id is null then false else shop.email_redrive_all(1, p_message_id) = 1 end;
end;
comment on function shop.email_redrive is 'Gives a dead letter all its attempts again; false when there is no such dead letter.';

create function shop.email_purge(p_older_than interval default interval '0', p_message_id bigint default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_count bigint;
begin
  if p_older_than < interval '0' or p_older_than > interval '100000 years' then
    raise exception using
      errcode = 'QN005',
      message = 'an age must be from nothing to 100000 years';
  end if;
  delete from shop.email_dead as d
  where d.dead_at <= clock_timestamp() - p_older_than
    and (p_message_id is null or d.message_id = p_message_id);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function shop.email_purge is 'Deletes the dead letters that died longer ago than p_older_than, or the one of them that is p_message_id, and returns how many.';

create function shop.email_stats()
returns table (ready bigint, delayed bigint, leased bigint, dead bigint, oldest_age interval, is_paused boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select
    m.ready + d.ready,
    d.delayed,
    m.leased + d.leased,
    (select count(*) from shop.email_dead),
    clock_timestamp() - least(m.oldest, d.oldest),
    (select q.paused_at is not null from shop.quern_queue as q where q.queue = 'email')
  from (
    select
      count(*) filter (where lease_until <= clock_timestamp()) as ready,
      count(*) filter (where lease_until > clock_timestamp()) as leased,
      min(enqueued_at) filter (where lease_until <= clock_timestamp()) as oldest
    from shop.email_message
  ) as m, (
    select
      count(*) filter (where due_at <= clock_timestamp()) as ready,
      count(*) filter (where due_at > clock_timestamp() and lease_until = '-infinity') as delayed,
      count(*) filter (where due_at > clock_timestamp() and lease_until > '-infinity') as leased,
      min(enqueued_at) filter (where due_at <= clock_timestamp()) as oldest
    from shop.email_delayed
  ) as d;
end;
comment on function shop.email_stats is 'How many messages are in each state, and the age of the oldest that is ready.';

create function shop.email_pause()
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  update shop.quern_queue as q
  set paused_at = clock_timestamp()
  where q.queue = 'email'
    and q.paused_at is null;
  return found;
end
$$;
comment on function shop.email_pause is 'Stops handing out messages; false when it is stopped already.';

create function shop.email_resume()
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  update shop.quern_queue as q
  set paused_at = null
  where q.queue = 'email'
    and q.paused_at is not null;
  if not found then
    return false;
  end if;
  perform shop.email_wake();
  return true;
end
$$;
comment on function shop.email_resume is 'Hands out messages again; false when it was not paused.';

-- The untyped doors of the queue. A payload is taken as the oldest live contract that takes its fields and their values: what
-- programs wrote before there was a newer one keeps its meaning until the older one is retired.
create function shop.email_enqueue_json(p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return shop.email_enqueue_json_v1(p_payload, p_delay);
end
$$;
comment on function shop.email_enqueue_json is 'Enqueues a message out of JSON, checked against the oldest live contract that it fits.';

create function shop.email_claim_json(p_count integer default 1, p_lease interval default null)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select c.message_id, c.attempt, c.enqueued_at, c.payload
  from shop.email_claim_json_v1(p_count, p_lease) as c;
end;
comment on function shop.email_claim_json is 'Claims messages as JSON, in the oldest contract that is live.';

-- The queue as the task table that many know: insert a payload, select … for update skip locked, then delete the row or
-- set its status to completed in the same transaction. It shows messages that were never tried before. Nothing in it may
-- be volatile: the planner would make a subquery of the view, and for update would lock all of its rows. The star tells
-- the payload from a column of that name, which a contract without a schema has.
create view shop.email as
select
  m.message_id as id,
  (select to_jsonb(payload.*) from (select m.order_id as order_id, m.customer_id as customer_id, m.recipient as recipient, m.channel as channel, m.subject as subject, m.note as note, m.attachments as attachments, m.send_after as send_after) as payload) as payload,
  case
    when m.lease_until > statement_timestamp() then 'processing'
    when (select q.paused_at from shop.quern_queue as q where q.queue = 'email') is not null then 'paused'
    else 'pending'
  end as status,
  m.enqueued_at as created_at
from shop.email_message as m
where m.contract_version = 1;
comment on view shop.email is 'Queue email as a table of tasks, in the oldest contract that is live.';

create function shop.email_door()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if tg_op = 'INSERT' then
    if new.id is not null or new.created_at is not null or coalesce(new.status, 'pending') <> 'pending' then
      raise exception using
        errcode = 'QN005',
        message = 'only the payload of a new task can be given, its status is ''pending''';
    end if;
    new.id := shop.email_enqueue_json(new.payload);
    new.status := 'pending';
    new.created_at := now();
    perform pg_notify('new_task', new.id::text);
    return new;
  end if;

  if tg_op = 'UPDATE' and (
    (new.id, new.payload, new.created_at) is distinct from (old.id, old.payload, old.created_at)
    or new.status is distinct from 'completed'
  ) then
    raise exception using
      errcode = 'QN005',
      message = 'a task can only be deleted or set to ''completed''',
      hint = 'To give it back, roll back the transaction that locked it.';
  end if;

  delete from shop.email_message as m
  where m.message_id = old.id
    and m.lease_until <= clock_timestamp();
  if not found then
    return null;
  elsif tg_op = 'UPDATE' then
    return new;
  end if;
  return old;
end
$$;
create trigger email_door
instead of insert or update or delete on shop.email
for each row execute function shop.email_door();

revoke all on function
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
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
lock table shop.email_message, shop.email_delayed, shop.email_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.email_message as m where true
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
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.email;
drop function
  shop.email_enqueue_json_v1, shop.email_enqueue_many_v1, shop.email_enqueue_v1, shop.email_wake_v1,
  shop.email_claim_json_v1, shop.email_claim_v1, shop.email_take_v1, shop.email_pick_v1, shop.email_next_due_v1,
  shop.email_redrive, shop.email_redrive_all, shop.email_purge,
  shop.email_wake, shop.email_enqueue_json, shop.email_claim_json, shop.email_door,
  shop.email_advance_low_water, shop.email_free_dead, shop.email_bury, shop.email_retry_delay,
  shop.email_ack, shop.email_ack_many, shop.email_nack, shop.email_extend, shop.email_release, shop.email_attempt, shop.email_cancel, shop.email_cancel_all, shop.email_peek,
  shop.email_stats, shop.email_pause, shop.email_resume;
drop table shop.email_message, shop.email_delayed, shop.email_dead;
drop sequence shop.email_message_id, shop.email_low_water, shop.email_mark, shop.email_mark_xid;
drop sequence shop.email_v1_frontier, shop.email_v1_swept_at, shop.email_v1_produced_at;
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
