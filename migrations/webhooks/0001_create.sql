-- quern migration: webhooks/0001_create
-- Creates queue webhooks: its tables, its functions for contract v1 and the rights on them.
-- roles: mailer, ops, web

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

insert into shop.quern_queue (queue, number)
select 'webhooks', coalesce(max(q.number) + 1, 0)
from shop.quern_queue as q;

create sequence shop.webhooks_message_id as bigint;

do $$
begin
  perform setval('shop.webhooks_message_id', q.number * 10000000000000 + 1, false)
  from shop.quern_queue as q
  where q.queue = 'webhooks';
end
$$;

-- A message that is ready or claimed. A claim changes lease_until and attempt, which no index holds, so that it is a
-- heap-only update: half of each page stays free for it. (message_id, attempt) is the fencing pair of an attempt, and
-- lease_until is -infinity while there is none. Whoever draws an id has a transaction id already: the low-water mark
-- depends on that order.
create table shop.webhooks_message (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.webhooks_message_id') end,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  payload jsonb not null,
  constraint webhooks_message_key primary key (message_id),
  constraint webhooks_contract_version_known check (contract_version = 1)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table shop.webhooks_message is 'Calls to other systems; whoever enqueues knows what is in them.';

-- A message with a time: delayed by its producer, waiting for a retry, or claimed after that (then it is due again
-- when its lease runs out). It never stands at the head of the scan of the others.
create table shop.webhooks_delayed (
  message_id bigint not null default case when pg_current_xact_id() is not null then nextval('shop.webhooks_message_id') end,
  due_at timestamptz not null,
  lease_until timestamptz not null default '-infinity',
  enqueued_at timestamptz not null default now(),
  attempt integer not null default 0,
  release_count integer not null default 0,
  quern_session bigint,
  contract_version smallint not null,
  last_error text,
  payload jsonb not null,
  constraint webhooks_delayed_key primary key (message_id),
  constraint webhooks_contract_version_known check (contract_version = 1)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index webhooks_delayed_due on shop.webhooks_delayed (due_at, message_id);
comment on table shop.webhooks_delayed is 'Messages of queue webhooks that are delayed or were tried before.';

create table shop.webhooks_dead (
  message_id bigint not null,
  dead_at timestamptz not null default clock_timestamp(),
  enqueued_at timestamptz not null,
  attempt integer not null,
  contract_version smallint not null,
  last_error text,
  payload jsonb not null,
  constraint webhooks_dead_key primary key (message_id)
);
comment on table shop.webhooks_dead is 'Messages of queue webhooks whose last attempt failed.';

-- Where a scan of webhooks_message may begin, so that it need not pass over rows that are dead or claimed. Sequences,
-- because these are not transactional and cannot bloat. A wrong hint costs time, never a message: see the pick
-- functions, each of which has a frontier of its own.
create sequence shop.webhooks_low_water as bigint minvalue 0;
create sequence shop.webhooks_mark as bigint minvalue 0;
create sequence shop.webhooks_mark_xid as bigint minvalue 0;
comment on sequence shop.webhooks_low_water is 'No message below this id is ready or claimed.';
comment on sequence shop.webhooks_mark is 'The last message id drawn when the candidate for the low-water mark was taken.';
comment on sequence shop.webhooks_mark_xid is 'Every transaction that may hold an id up to the mark is older than this one.';

-- The queue's ids begin there.
do $$
begin
  perform
    setval('shop.webhooks_low_water', q.number * 10000000000000),
    setval('shop.webhooks_mark', q.number * 10000000000000)
  from shop.quern_queue as q
  where q.queue = 'webhooks';
end
$$;

-- Here as in every function the search path ends with pg_temp: with an empty one the caller's temporary types would come
-- first, and be used with the owner's rights.
create function shop.webhooks_wake()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Consumers share this lock while they wait. A NOTIFY serialises commits, so it is sent only if someone waits.
  if pg_try_advisory_lock(6016467617977762945) then
    perform pg_advisory_unlock(6016467617977762945);
  else
    perform pg_notify('shop.webhooks', '');
  end if;
end
$$;
comment on function shop.webhooks_wake() is 'Wakes a waiting consumer when this transaction commits.';

-- Ends the leases of what dead workers hold: their session is gone, and with it the lock that it held as long as it lived. Of
-- a worker that is found dead that is done once. One that goes on over another connection can still acknowledge what nobody
-- else has claimed by then.
create function shop.webhooks_free_dead()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_sessions bigint[];
  v_low_water constant bigint := coalesce(pg_sequence_last_value('shop.webhooks_low_water'), 0);
  v_frontier constant bigint := greatest(pg_sequence_last_value('shop.webhooks_v1_frontier'));
begin
  with dead as (
    update shop.quern_worker as w
    set is_freed = true
    where w.worker_id = any (array(
      select o.worker_id
      from shop.quern_worker as o
      where o.queue in ('webhooks')
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
  update shop.webhooks_message as m
  set lease_until = now()
  where m.message_id = any (array(
    select o.message_id
    from shop.webhooks_message as o
    where o.quern_session = any (v_sessions)
      and o.message_id >= v_low_water
      and o.message_id < v_frontier
      and o.lease_until > now()
      and o.contract_version <= 1
    for update skip locked
  ));
  -- Wherever that is: the next sweep goes all of the way.
  perform setval('shop.webhooks_v1_swept_at', 0);
  update shop.webhooks_delayed as d
  set lease_until = now(),
    due_at = now()
  where d.message_id = any (array(
    select o.message_id
    from shop.webhooks_delayed as o
    where o.quern_session = any (v_sessions)
      and o.lease_until > now()
      and o.contract_version <= 1
    for update skip locked
  ));
  perform shop.webhooks_wake();
end
$$;

-- The low-water mark may rise to the smallest live id only when nothing smaller can still appear. So the last id that was
-- drawn is noted as the mark, and with it a transaction id that is drawn after reading it: whoever holds an id up to the
-- mark drew an older one before (see webhooks_message). When every older transaction has ended, nothing unseen is left
-- below the mark. (The snapshot's xmax would not do: transactions beyond it may be running.)
-- All of it is for a transaction that has not written yet: another has its transaction id already, and does not see the
-- messages that it has ended itself and that a rollback would bring back.
-- One session does it at a time. The transaction id is written first: a crash never leaves a mark with an older one.
create function shop.webhooks_advance_low_water()
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
  if pg_current_xact_id_if_assigned() is not null or not pg_try_advisory_xact_lock(6016467617977762945 + 1) then
    return;
  end if;
  v_mark := coalesce(pg_sequence_last_value('shop.webhooks_mark'), 0);
  v_last_drawn := coalesce(pg_sequence_last_value('shop.webhooks_message_id'), v_mark);
  v_own_xid := pg_current_xact_id()::text::bigint;
  perform shop.webhooks_free_dead();

  v_mark_xid := coalesce(pg_sequence_last_value('shop.webhooks_mark_xid'), 0);
  -- After a restore into another cluster transaction ids begin again: a mark from the future is taken anew.
  if v_mark_xid < v_own_xid then
    if pg_snapshot_xmin(pg_current_snapshot())::text::bigint < v_mark_xid then
      return;
    end if;
    v_low_water := coalesce(pg_sequence_last_value('shop.webhooks_low_water'), 0);
    -- Not min(): planned while the table was empty, that would read all of it.
    v_low_water := least(v_mark, (
      select m.message_id
      from shop.webhooks_message as m
      where m.message_id >= v_low_water
      order by m.message_id
      limit 1
    ));
    perform setval('shop.webhooks_low_water', v_low_water);
  end if;

  perform setval('shop.webhooks_mark_xid', v_own_xid);
  perform setval('shop.webhooks_mark', v_last_drawn);
end
$$;

-- Ends messages that have no attempt left, and returns how many. Like all that moves messages it leaves alone those of
-- contracts that came after it: a session may still run it when there is a newer one.
create function shop.webhooks_bury(p_message_ids bigint[], p_error text)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
begin atomic
  with ended as (
    delete from shop.webhooks_message as m
    where m.message_id = any (p_message_ids)
      and m.attempt - m.release_count >= 8
      and m.contract_version <= 1
    returning m.message_id, m.enqueued_at, m.attempt, m.contract_version, m.payload
  ), ended_late as (
    delete from shop.webhooks_delayed as d
    where d.message_id = any (p_message_ids)
      and d.attempt - d.release_count >= 8
      and d.contract_version <= 1
    returning d.message_id, d.enqueued_at, d.attempt, d.contract_version, d.payload
  ), buried as (
    insert into shop.webhooks_dead (message_id, enqueued_at, attempt, contract_version, payload, last_error)
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

create sequence shop.webhooks_v1_frontier as bigint minvalue 0;
create sequence shop.webhooks_v1_swept_at as bigint minvalue 0;
create sequence shop.webhooks_v1_produced_at as bigint minvalue 0;
comment on sequence shop.webhooks_v1_frontier is 'The next message id to hand out to consumers of contract v1.';
comment on sequence shop.webhooks_v1_swept_at is 'When a claim of contract v1 last began at the low-water mark, in milliseconds since 1970.';
comment on sequence shop.webhooks_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('webhooks', 1, 'd59cbc83200c79c421587f77b6de4eaeb3dc7d8c12fc619906cd8bc623c4398c')
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
create function shop.webhooks_pick_v1(p_count integer, out due_ids bigint[], out fresh_ids bigint[])
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
  if exists (select from shop.quern_queue as q where q.queue = 'webhooks' and q.paused_at is not null) then
    return;
  end if;

  v_swept_at := coalesce(pg_sequence_last_value('shop.webhooks_v1_swept_at'), 0);
  v_is_sweep := v_now_ms - v_swept_at not between 0 and 99;
  if v_is_sweep then
    perform shop.webhooks_advance_low_water();
    v_swept_at := least(v_swept_at, pg_sequence_last_value('shop.webhooks_v1_swept_at'));
  end if;

  due_ids := array(
    select d.message_id
    from shop.webhooks_delayed as d
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

  v_frontier := coalesce(pg_sequence_last_value('shop.webhooks_v1_frontier'), 0);
  v_begin := v_frontier;
  if v_is_sweep then
    v_low_water := coalesce(pg_sequence_last_value('shop.webhooks_low_water'), 0);
    perform setval('shop.webhooks_v1_swept_at', v_now_ms);
    if v_now_ms / 60000 <> v_swept_at / 60000 then
      v_low_water := least(v_low_water, (
        select m.message_id
        from shop.webhooks_message as m
        order by m.message_id
        limit 1
      ));
      perform setval('shop.webhooks_low_water', v_low_water);
    end if;
    v_whole_ms := greatest(100, least((v_frontier - v_low_water) / 100, 5000));
    v_begin := case when v_now_ms / v_whole_ms = v_swept_at / v_whole_ms then v_frontier - 10000 else v_low_water end;
  end if;

  loop
    fresh_ids := array(
      select m.message_id
      from shop.webhooks_message as m
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
    v_low_water := coalesce(pg_sequence_last_value('shop.webhooks_low_water'), 0);
    if v_frontier - v_low_water <= 10000 then
      fresh_ids := array(
        select m.message_id
        from shop.webhooks_message as m
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

  if fresh_ids[1] < pg_sequence_last_value('shop.webhooks_low_water') then
    perform setval('shop.webhooks_low_water', fresh_ids[1]);
  end if;
  -- A sweep that was filled has left more behind: the next claims go on where it stopped.
  if v_last >= coalesce(pg_sequence_last_value('shop.webhooks_v1_frontier'), 0) or (v_is_sweep and v_count = 0) then
    perform setval('shop.webhooks_v1_frontier', v_last + 1);
  end if;
end
$$;

create function shop.webhooks_claim_v1(p_count integer default 1, p_lease interval default null)
returns table (
  message_id bigint,
  attempt integer,
  enqueued_at timestamptz,
  lease_until timestamptz,
  payload jsonb
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
  v_lease_until := clock_timestamp() + coalesce(p_lease, interval '1 minute');
  -- Once, or again for what is left when some of them had to be buried. When that has taken longer than the lease, what was
  -- given before is due again, but has that lease.
  loop
    v_is_buried := false;
    v_picked := shop.webhooks_pick_v1(v_left);
    v_due_ids := v_picked.due_ids;
    v_fresh_ids := v_picked.fresh_ids;

    if cardinality(v_due_ids) > 0 then
      return query
      update shop.webhooks_delayed as d
      set lease_until = v_lease_until,
        due_at = v_lease_until,
        attempt = d.attempt + 1,
        quern_session = v_session
      where d.message_id = any (v_due_ids)
        and d.contract_version = 1
        and d.lease_until < v_lease_until
        and d.attempt - d.release_count < 8
      returning d.message_id, d.attempt, d.enqueued_at, d.lease_until, d.payload;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_due_ids) then
        v_is_buried := shop.webhooks_bury(array(
          select d.message_id
          from shop.webhooks_delayed as d
          where d.message_id = any (v_due_ids)
            and d.lease_until < v_lease_until
        ), 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    if cardinality(v_fresh_ids) > 0 then
      return query
      update shop.webhooks_message as m
      set lease_until = v_lease_until,
        attempt = m.attempt + 1,
        quern_session = v_session
      where m.message_id = any (v_fresh_ids)
        and m.contract_version = 1
        and m.lease_until < v_lease_until
        and m.attempt - m.release_count < 8
      returning m.message_id, m.attempt, m.enqueued_at, m.lease_until, m.payload;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_fresh_ids) then
        v_is_buried := shop.webhooks_bury(array(
          select m.message_id
          from shop.webhooks_message as m
          where m.message_id = any (v_fresh_ids)
            and m.lease_until < v_lease_until
        ), 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    exit when not v_is_buried or v_left = 0;
  end loop;
end
$$;
comment on function shop.webhooks_claim_v1 is 'Claims up to p_count messages for p_lease (default webhooks''s lease): end each with ack, nack or release of this attempt.';

create function shop.webhooks_claim_json_v1(p_count integer default 1, p_lease interval default null)
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
    c.payload
  from shop.webhooks_claim_v1(p_count, p_lease) as c;
end;
comment on function shop.webhooks_claim_json_v1 is 'As webhooks_claim_v1, with the payload as one JSON object.';

create function shop.webhooks_take_v1(p_count integer default 1)
returns table (
  message_id bigint,
  attempt integer,
  enqueued_at timestamptz,
  payload jsonb
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
    v_picked := shop.webhooks_pick_v1(v_left);
    v_due_ids := v_picked.due_ids;
    v_fresh_ids := v_picked.fresh_ids;

    if cardinality(v_due_ids) > 0 then
      return query
      delete from shop.webhooks_delayed as d
      where d.message_id = any (v_due_ids)
        and d.contract_version = 1
        and d.attempt - d.release_count < 8
      returning d.message_id, d.attempt + 1, d.enqueued_at, d.payload;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_due_ids) then
        v_is_buried := shop.webhooks_bury(v_due_ids, 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    if cardinality(v_fresh_ids) > 0 then
      return query
      delete from shop.webhooks_message as m
      where m.message_id = any (v_fresh_ids)
        and m.contract_version = 1
        and m.attempt - m.release_count < 8
      returning m.message_id, m.attempt + 1, m.enqueued_at, m.payload;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_count < cardinality(v_fresh_ids) then
        v_is_buried := shop.webhooks_bury(v_fresh_ids, 'the lease of the last attempt ran out') > 0 or v_is_buried;
      end if;
    end if;

    exit when not v_is_buried or v_left = 0;
  end loop;
end
$$;
comment on function shop.webhooks_take_v1 is 'Claims and ends up to p_count messages in the caller''s transaction: commit is the ack, rollback gives them back.';

create function shop.webhooks_next_due_v1()
returns timestamptz
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select min(d.due_at)
  from shop.webhooks_delayed as d
  where d.contract_version = 1
    and not exists (select from shop.quern_queue as q where q.queue = 'webhooks' and q.paused_at is not null);
end;
comment on function shop.webhooks_next_due_v1 is 'When the next delayed message is due that consumers of contract v1 can read; null when there is none, and while the queue is paused.';

revoke all on function
  shop.webhooks_pick_v1, shop.webhooks_claim_v1, shop.webhooks_claim_json_v1, shop.webhooks_take_v1, shop.webhooks_next_due_v1
from public;
grant execute on function
  shop.webhooks_claim_v1, shop.webhooks_claim_json_v1, shop.webhooks_take_v1, shop.webhooks_next_due_v1
to mailer;
grant select on sequence shop.webhooks_v1_swept_at to ops;

create function shop.webhooks_wake_v1()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform setval('shop.webhooks_v1_produced_at', floor(date_part('epoch', now()))::bigint);
  perform shop.webhooks_wake();
end
$$;
comment on function shop.webhooks_wake_v1() is 'As webhooks_wake, by a producer of contract v1; called after COPY.';

-- The one function without a search path of its own, which would cost a tenth of the call: every name is qualified.
create function shop.webhooks_enqueue_v1(
  p_payload jsonb,
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
    insert into shop.webhooks_delayed as d (due_at, contract_version, payload)
    values (pg_catalog.clock_timestamp() operator(pg_catalog.+) p_delay, 1, p_payload)
    returning d.message_id into v_message_id;
  elsif p_delay operator(pg_catalog.<) interval '0' then
    raise exception using
      errcode = 'QN005',
      message = 'a delay cannot be negative';
  else
    insert into shop.webhooks_message as m (contract_version, payload)
    values (1, p_payload)
    returning m.message_id into v_message_id;
  end if;

  -- When a producer last used this contract, to the minute.
  if (pg_catalog.pg_sequence_last_value('shop.webhooks_v1_produced_at') operator(pg_catalog.>) (pg_catalog.date_part('epoch', pg_catalog.now()) operator(pg_catalog.-) 60)) is not true then
    perform pg_catalog.setval('shop.webhooks_v1_produced_at', pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.now()))::bigint);
  end if;

  -- As in webhooks_wake, written out because a call would cost more than all of it.
  if pg_catalog.pg_try_advisory_lock(6016467617977762945) then
    v_is_unlocked := pg_catalog.pg_advisory_unlock(6016467617977762945);
  else
    perform pg_catalog.pg_notify('shop.webhooks', '');
  end if;
  return v_message_id;
end
$$;
comment on function shop.webhooks_enqueue_v1 is 'Enqueues a message and returns its id; with p_delay it is not handed out before that has passed.';

-- One array a field, all of the same length; an array field takes text, each element an array in its text form.
create function shop.webhooks_enqueue_many_v1(
  p_payload jsonb[],
  p_delay interval default null
) returns bigint[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message_ids bigint[];
begin
  if greatest(cardinality(p_payload))
    is distinct from least(cardinality(p_payload)) then
    raise exception using
      errcode = 'QN005',
      message = 'the arrays of webhooks_enqueue_many_v1 differ in length';
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
      insert into shop.webhooks_delayed as d (due_at, contract_version, payload)
      select clock_timestamp() + p_delay, 1, t.payload
      from unnest(p_payload) with ordinality as t(payload, quern_rank)
      order by t.quern_rank
      returning d.message_id
    )
    select array_agg(a.message_id order by a.message_id)
    into v_message_ids
    from added as a;
  else
    with added as (
      insert into shop.webhooks_message as m (contract_version, payload)
      select 1, t.payload
      from unnest(p_payload) with ordinality as t(payload, quern_rank)
      order by t.quern_rank
      returning m.message_id
    )
    select array_agg(a.message_id order by a.message_id)
    into v_message_ids
    from added as a;
  end if;

  perform shop.webhooks_wake_v1();
  return coalesce(v_message_ids, '{}');
end
$$;
comment on function shop.webhooks_enqueue_many_v1 is 'Enqueues a message for each place of the arrays and returns the ids in that order.';

create function shop.webhooks_enqueue_json_v1(p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
begin
  return shop.webhooks_enqueue_v1(p_payload, p_delay => p_delay);
end
$$;
comment on function shop.webhooks_enqueue_json_v1 is 'Enqueues a message out of a JSON object, which is checked against the contract.';

revoke all on function
  shop.webhooks_wake_v1, shop.webhooks_enqueue_v1, shop.webhooks_enqueue_many_v1, shop.webhooks_enqueue_json_v1
from public;
grant execute on function
  shop.webhooks_wake_v1, shop.webhooks_enqueue_v1, shop.webhooks_enqueue_many_v1, shop.webhooks_enqueue_json_v1
to web;
grant insert (contract_version, payload) on shop.webhooks_message to web;
grant select on sequence shop.webhooks_v1_produced_at to ops;

create function shop.webhooks_ack(p_message_id bigint, p_attempt integer)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  -- A claim that follows in this transaction cannot raise the low-water mark any more.
  if date_part('epoch', clock_timestamp()) * 1000 - greatest(pg_sequence_last_value('shop.webhooks_v1_swept_at')) not between 0 and 99 then
    perform shop.webhooks_advance_low_water();
  end if;

  delete from shop.webhooks_message as m
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    return true;
  end if;

  delete from shop.webhooks_delayed as d
  where d.message_id = p_message_id
    and d.attempt = p_attempt
    and d.lease_until > '-infinity';
  return found;
end
$$;
comment on function shop.webhooks_ack is 'Ends a message as handled; false, and nothing changes, when this attempt is no longer the current one.';

create function shop.webhooks_ack_many(p_message_ids bigint[], p_attempts integer[])
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
  if date_part('epoch', clock_timestamp()) * 1000 - greatest(pg_sequence_last_value('shop.webhooks_v1_swept_at')) not between 0 and 99 then
    perform shop.webhooks_advance_low_water();
  end if;

  with ended as (
    delete from shop.webhooks_message as m
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
    delete from shop.webhooks_delayed as d
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
comment on function shop.webhooks_ack_many is 'Ends messages as handled and returns the ids of those whose attempt is no longer the current one.';

create function shop.webhooks_retry_delay(p_attempt integer)
returns interval
language sql volatile
set search_path = pg_catalog, pg_temp
begin atomic
  select least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random());
end;
comment on function shop.webhooks_retry_delay is 'How long a message waits after its p_attempt-th failure.';

create function shop.webhooks_nack(p_message_id bigint, p_attempt integer, p_error text default null, p_delay interval default null)
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
  from shop.webhooks_message as m
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity'
    and m.contract_version <= 1
  for update;
  v_is_fresh := found;
  if not v_is_fresh then
    select d.attempt - d.release_count
    into v_attempt
    from shop.webhooks_delayed as d
    where d.message_id = p_message_id
      and d.attempt = p_attempt
      and d.lease_until > '-infinity'
      and d.contract_version <= 1
    for update;
    if not found then
      return 'lost';
    end if;
  end if;

  if v_attempt >= 8 then
    perform shop.webhooks_bury(array[p_message_id], p_error);
    return 'dead';
  end if;

  v_due_at := clock_timestamp() + coalesce(p_delay, shop.webhooks_retry_delay(v_attempt));
  if v_is_fresh then
    with failed as (
      delete from shop.webhooks_message as m
      where m.message_id = p_message_id
      returning m.*
    )
    insert into shop.webhooks_delayed (message_id, due_at, enqueued_at, attempt, release_count, contract_version, last_error, payload)
    select f.message_id, v_due_at, f.enqueued_at, f.attempt, f.release_count, f.contract_version, p_error, f.payload
    from failed as f;
  else
    update shop.webhooks_delayed as d
    set due_at = v_due_at,
      lease_until = '-infinity',
      last_error = p_error
    where d.message_id = p_message_id;
  end if;
  perform shop.webhooks_wake();
  return 'retry';
end
$$;
comment on function shop.webhooks_nack is 'Ends an attempt as failed: ''retry'' after p_delay or the queue''s backoff, ''dead'' or ''dropped'' after the last, ''lost'' when it is no longer the current one.';

create function shop.webhooks_extend(p_message_id bigint, p_attempt integer, p_lease interval default null)
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
  v_lease_until := clock_timestamp() + coalesce(p_lease, interval '1 minute');

  update shop.webhooks_message as m
  set lease_until = v_lease_until
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    return v_lease_until;
  end if;

  update shop.webhooks_delayed as d
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
comment on function shop.webhooks_extend is 'Lets a lease run for p_lease from now on and returns its new end; null when this attempt is no longer the current one.';

create function shop.webhooks_release(p_message_id bigint, p_attempt integer)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  update shop.webhooks_message as m
  set lease_until = '-infinity',
    release_count = m.release_count + 1
  where m.message_id = p_message_id
    and m.attempt = p_attempt
    and m.lease_until > '-infinity';
  if found then
    if p_message_id < pg_sequence_last_value('shop.webhooks_v1_frontier') then
      perform setval('shop.webhooks_v1_frontier', p_message_id);
    end if;
  else
    update shop.webhooks_delayed as d
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
  perform shop.webhooks_wake();
  return true;
end
$$;
comment on function shop.webhooks_release is 'Gives a message back at once without counting the attempt; false when this attempt is no longer the current one.';

create function shop.webhooks_attempt(p_message_id bigint)
returns integer
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
begin atomic
  select m.attempt
  from shop.webhooks_message as m
  where m.message_id = p_message_id
    and m.lease_until > '-infinity'
  union all
  select d.attempt
  from shop.webhooks_delayed as d
  where d.message_id = p_message_id
    and d.lease_until > '-infinity';
end;
comment on function shop.webhooks_attempt is 'The current attempt on a message; null when nobody has claimed it.';

create function shop.webhooks_cancel(p_message_id bigint)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
begin
  delete from shop.webhooks_message as m
  where m.message_id = p_message_id
    and m.lease_until <= clock_timestamp();
  if found then
    return true;
  end if;

  -- In a statement that begins after that: an attempt that failed meanwhile has brought it here.
  delete from shop.webhooks_delayed as d
  where d.message_id = p_message_id
    and d.lease_until <= clock_timestamp();
  return found;
end
$$;
comment on function shop.webhooks_cancel is 'Deletes a message that waits; false when it is being handled, has ended or was never there.';

-- In the order of their ids, so that with p_count a call goes on where the one before it ended.
create function shop.webhooks_cancel_all(p_count bigint default null, p_enqueued_until timestamptz default 'infinity')
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
  delete from shop.webhooks_message as m
  where m.message_id = any (array(
    select w.message_id
    from shop.webhooks_message as w
    where w.lease_until <= clock_timestamp()
      and w.enqueued_at <= p_enqueued_until
    order by w.message_id
    limit p_count
    for update skip locked
  ));
  get diagnostics v_fresh = row_count;
  delete from shop.webhooks_delayed as d
  where d.message_id = any (array(
    select w.message_id
    from shop.webhooks_delayed as w
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
comment on function shop.webhooks_cancel_all is 'Deletes all messages that wait, or p_count of them, which were enqueued until p_enqueued_until, and returns how many.';

-- The columns of other contracts than a message's own are null. Planned with the arguments: without ids no index is looked into,
-- and for dead letters alone nothing else.
create function shop.webhooks_peek(p_states text[] default '{ready, delayed}', p_count integer default 20, p_message_ids bigint[] default null)
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
        (select to_jsonb(c.*) from (select m.payload) as c) as payload
      from shop.webhooks_message as m
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
        (select to_jsonb(c.*) from (select d.payload) as c)
      from shop.webhooks_delayed as d
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
        (select to_jsonb(c.*) from (select e.payload) as c)
      from shop.webhooks_dead as e
      where (p_message_ids is null or e.message_id = any (p_message_ids))
        and 'dead' = any (p_states)
      order by e.message_id
      limit p_count
    )
  ) as p
  limit p_count;
end
$$;
comment on function shop.webhooks_peek is 'Messages in these states (ready, delayed, leased, dead), or of these those with p_message_ids, as they are stored; claims nothing.';

create function shop.webhooks_redrive_all(p_count integer default null, p_message_id bigint default null)
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
    delete from shop.webhooks_dead as d
    where d.message_id = any (array(
      select e.message_id
      from shop.webhooks_dead as e
      where (p_message_id is null or e.message_id = p_message_id)
        and e.contract_version <= 1
      order by e.message_id
      limit p_count
      for update skip locked
    ))
    returning d.*
  )
  insert into shop.webhooks_delayed (message_id, due_at, enqueued_at, attempt, release_count, quern_session, contract_version, last_error, payload)
  select r.message_id, clock_timestamp(), r.enqueued_at, r.attempt, r.attempt, null, r.contract_version, r.last_error, r.payload
  from revived as r;
  get diagnostics v_count = row_count;

  perform shop.webhooks_wake();
  return v_count;
end
$$;
comment on function shop.webhooks_redrive_all is 'Gives dead letters, the oldest first, all their attempts again and returns how many.';

create function shop.webhooks_redrive(p_message_id bigint)
returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select case when p_message_id is null then false else shop.webhooks_redrive_all(1, p_message_id) = 1 end;
end;
comment on function shop.webhooks_redrive is 'Gives a dead letter all its attempts again; false when there is no such dead letter.';

create function shop.webhooks_purge(p_older_than interval default interval '0', p_message_id bigint default null)
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
  delete from shop.webhooks_dead as d
  where d.dead_at <= clock_timestamp() - p_older_than
    and (p_message_id is null or d.message_id = p_message_id);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function shop.webhooks_purge is 'Deletes the dead letters that died longer ago than p_older_than, or the one of them that is p_message_id, and returns how many.';

create function shop.webhooks_stats()
returns table (ready bigint, delayed bigint, leased bigint, dead bigint, oldest_age interval, is_paused boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select
    m.ready + d.ready,
    d.delayed,
    m.leased + d.leased,
    (select count(*) from shop.webhooks_dead),
    clock_timestamp() - least(m.oldest, d.oldest),
    (select q.paused_at is not null from shop.quern_queue as q where q.queue = 'webhooks')
  from (
    select
      count(*) filter (where lease_until <= clock_timestamp()) as ready,
      count(*) filter (where lease_until > clock_timestamp()) as leased,
      min(enqueued_at) filter (where lease_until <= clock_timestamp()) as oldest
    from shop.webhooks_message
  ) as m, (
    select
      count(*) filter (where due_at <= clock_timestamp()) as ready,
      count(*) filter (where due_at > clock_timestamp() and lease_until = '-infinity') as delayed,
      count(*) filter (where due_at > clock_timestamp() and lease_until > '-infinity') as leased,
      min(enqueued_at) filter (where due_at <= clock_timestamp()) as oldest
    from shop.webhooks_delayed
  ) as d;
end;
comment on function shop.webhooks_stats is 'How many messages are in each state, and the age of the oldest that is ready.';

create function shop.webhooks_pause()
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  update shop.quern_queue as q
  set paused_at = clock_timestamp()
  where q.queue = 'webhooks'
    and q.paused_at is null;
  return found;
end
$$;
comment on function shop.webhooks_pause is 'Stops handing out messages; false when it is stopped already.';

create function shop.webhooks_resume()
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  update shop.quern_queue as q
  set paused_at = null
  where q.queue = 'webhooks'
    and q.paused_at is not null;
  if not found then
    return false;
  end if;
  perform shop.webhooks_wake();
  return true;
end
$$;
comment on function shop.webhooks_resume is 'Hands out messages again; false when it was not paused.';

-- The untyped doors of the queue. A payload is taken as the oldest live contract that takes its fields and their values: what
-- programs wrote before there was a newer one keeps its meaning until the older one is retired.
create function shop.webhooks_enqueue_json(p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return shop.webhooks_enqueue_json_v1(p_payload, p_delay);
end
$$;
comment on function shop.webhooks_enqueue_json is 'Enqueues a message out of JSON, checked against the oldest live contract that it fits.';

create function shop.webhooks_claim_json(p_count integer default 1, p_lease interval default null)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select c.message_id, c.attempt, c.enqueued_at, c.payload
  from shop.webhooks_claim_json_v1(p_count, p_lease) as c;
end;
comment on function shop.webhooks_claim_json is 'Claims messages as JSON, in the oldest contract that is live.';

-- The queue as the task table that many know: insert a payload, select … for update skip locked, then delete the row or
-- set its status to completed in the same transaction. It shows messages that were never tried before. Nothing in it may
-- be volatile: the planner would make a subquery of the view, and for update would lock all of its rows. The star tells
-- the payload from a column of that name, which a contract without a schema has.
create view shop.webhooks as
select
  m.message_id as id,
  m.payload as payload,
  case
    when m.lease_until > statement_timestamp() then 'processing'
    when (select q.paused_at from shop.quern_queue as q where q.queue = 'webhooks') is not null then 'paused'
    else 'pending'
  end as status,
  m.enqueued_at as created_at
from shop.webhooks_message as m
where m.contract_version = 1;
comment on view shop.webhooks is 'Queue webhooks as a table of tasks, in the oldest contract that is live.';

create function shop.webhooks_door()
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
    new.id := shop.webhooks_enqueue_json(new.payload);
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

  delete from shop.webhooks_message as m
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
create trigger webhooks_door
instead of insert or update or delete on shop.webhooks
for each row execute function shop.webhooks_door();

revoke all on function
  shop.webhooks_wake, shop.webhooks_enqueue_json, shop.webhooks_claim_json,
  shop.webhooks_advance_low_water, shop.webhooks_free_dead, shop.webhooks_bury, shop.webhooks_retry_delay,
  shop.webhooks_ack, shop.webhooks_ack_many, shop.webhooks_nack, shop.webhooks_extend, shop.webhooks_release, shop.webhooks_attempt, shop.webhooks_cancel, shop.webhooks_cancel_all, shop.webhooks_peek,
  shop.webhooks_redrive, shop.webhooks_redrive_all, shop.webhooks_purge,
  shop.webhooks_stats, shop.webhooks_pause, shop.webhooks_resume, shop.webhooks_door
from public;
grant usage on schema shop to mailer, ops, web;
grant execute on function shop.quern_handshake to mailer, ops, web;
grant execute on function shop.webhooks_wake, shop.webhooks_enqueue_json, shop.webhooks_cancel, shop.queue_enqueue to web;
grant usage on sequence shop.webhooks_message_id to web;
grant insert on shop.webhooks to web;
grant execute on function
  shop.webhooks_claim_json,
  shop.webhooks_ack, shop.webhooks_ack_many, shop.webhooks_nack, shop.webhooks_extend, shop.webhooks_release, shop.webhooks_attempt,
  shop.quern_queue_of, shop.queue_dequeue, shop.queue_ack, shop.quern_worker_begin, shop.quern_worker_beat
to mailer;
grant select, update, delete on shop.webhooks to mailer;
grant execute on function
  shop.webhooks_redrive, shop.webhooks_redrive_all, shop.webhooks_purge,
  shop.webhooks_cancel_all, shop.webhooks_cancel, shop.webhooks_peek, shop.webhooks_stats, shop.webhooks_pause, shop.webhooks_resume, shop.quern_workers
to ops;
grant select on shop.webhooks_message, shop.webhooks_delayed, shop.webhooks_dead to ops;
grant select on shop.quern_contract, shop.quern_client to ops;

-- reverse
lock table shop.webhooks_message, shop.webhooks_delayed, shop.webhooks_dead in access exclusive mode;

do $$
declare
  v_count bigint;
begin
  select count(*)
  into v_count
  from (
    select m.message_id from shop.webhooks_message as m where true
    union all
    select m.message_id from shop.webhooks_delayed as m where true
    union all
    select m.message_id from shop.webhooks_dead as m where true
  ) as r;
  if v_count > 0 then
    raise exception using
      errcode = 'QN008',
      message = pg_catalog.format('%s %s of queue "webhooks" %s', v_count,
        case v_count when 1 then 'message' else 'messages' end, case v_count when 1 then 'remains' else 'remain' end),
      hint = 'Let its consumers handle them, and purge its dead letters.';
  end if;
end
$$;

drop view shop.webhooks;
drop function
  shop.webhooks_enqueue_json_v1, shop.webhooks_enqueue_many_v1, shop.webhooks_enqueue_v1, shop.webhooks_wake_v1,
  shop.webhooks_claim_json_v1, shop.webhooks_claim_v1, shop.webhooks_take_v1, shop.webhooks_pick_v1, shop.webhooks_next_due_v1,
  shop.webhooks_redrive, shop.webhooks_redrive_all, shop.webhooks_purge,
  shop.webhooks_wake, shop.webhooks_enqueue_json, shop.webhooks_claim_json, shop.webhooks_door,
  shop.webhooks_advance_low_water, shop.webhooks_free_dead, shop.webhooks_bury, shop.webhooks_retry_delay,
  shop.webhooks_ack, shop.webhooks_ack_many, shop.webhooks_nack, shop.webhooks_extend, shop.webhooks_release, shop.webhooks_attempt, shop.webhooks_cancel, shop.webhooks_cancel_all, shop.webhooks_peek,
  shop.webhooks_stats, shop.webhooks_pause, shop.webhooks_resume;
drop table shop.webhooks_message, shop.webhooks_delayed, shop.webhooks_dead;
drop sequence shop.webhooks_message_id, shop.webhooks_low_water, shop.webhooks_mark, shop.webhooks_mark_xid;
drop sequence shop.webhooks_v1_frontier, shop.webhooks_v1_swept_at, shop.webhooks_v1_produced_at;
delete from shop.quern_contract where queue = 'webhooks';
delete from shop.quern_client where queue = 'webhooks';
delete from shop.quern_queue where queue = 'webhooks';

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
