-- quern migration: core/0001_create
-- The objects that every queue of the project shares.
-- roles: ops

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create type shop.channel as enum ('email', 'sms', 'push');
comment on type shop.channel is 'How a customer is reached.';

-- One row a queue. Its number is the beginning of its message ids, which are therefore unique across the project:
-- queue 2 hands out 20000000000001, 20000000000002, …
create table shop.quern_queue (
  queue text not null,
  number integer not null,
  paused_at timestamptz,
  constraint quern_queue_key primary key (queue),
  constraint quern_queue_number_unique unique (number)
);
comment on table shop.quern_queue is 'The queues of this project and whether they are paused.';

create table shop.quern_contract (
  queue text not null,
  version integer not null,
  fingerprint text not null,
  retired_at timestamptz,
  constraint quern_contract_key primary key (queue, version)
);
comment on table shop.quern_contract is 'The contracts that programs may speak, each with the fingerprint of its fields.';

-- A row is written at most once a minute, however often its program shakes hands: it does not bloat.
create table shop.quern_client (
  queue text not null,
  version integer not null,
  client text not null,
  role_name text not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  constraint quern_client_key primary key (queue, version, client, role_name)
) with (
  fillfactor = 50
);
comment on table shop.quern_client is 'Which programs, by application_name and role, last shook hands on which contract.';

create function shop.quern_handshake(p_queue text, p_version integer, p_fingerprint text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_contract shop.quern_contract;
begin
  select c.*
  into v_contract
  from shop.quern_contract as c
  where c.queue = p_queue
    and c.version = p_version;

  if not found then
    raise exception using
      errcode = 'QN001',
      message = format('the database does not know contract v%s of "%s"', p_version, p_queue),
      hint = 'Apply the migrations that belong to this program.';
  elsif v_contract.retired_at is not null then
    raise exception using
      errcode = 'QN001',
      message = format('contract v%s of "%s" was retired', p_version, p_queue),
      detail = format('It was retired at %s.', v_contract.retired_at),
      hint = 'Run a newer release of this program.';
  elsif v_contract.fingerprint is distinct from p_fingerprint then
    raise exception using
      errcode = 'QN001',
      message = format('contract v%s of "%s" is not the same in this program and in the database', p_version, p_queue),
      detail = format('The program has fingerprint %s, the database %s.', p_fingerprint, v_contract.fingerprint),
      hint = 'Generate the headers again from the declaration that the database was migrated with.';
  end if;

  perform shop.quern_note_client(p_queue, p_version);
end
$$;
comment on function shop.quern_handshake(text, integer, text) is 'Fails with QN001 unless the database has this contract; notes who speaks it.';
revoke all on function shop.quern_handshake(text, integer, text) from public;

-- Nobody waits for anybody here: where another session is noting the same client, that will do.
create function shop.quern_note_client(p_queue text, p_version integer)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_client constant text := left(current_setting('application_name'), 200);
begin
  if current_setting('transaction_read_only') = 'on'
    or exists (
      select
      from shop.quern_client as c
      where c.queue = p_queue
        and c.version = p_version
        and c.client = v_client
        and c.role_name = session_user
        and c.last_seen_at > clock_timestamp() - interval '1 minute'
    )
    or not pg_try_advisory_xact_lock(hashtextextended(format('quern/client/%s/%s/%s/%s/%s', 'shop', p_queue, p_version, v_client, session_user), 0))
  then
    return;
  end if;

  insert into shop.quern_client as c (queue, version, client, role_name)
  values (p_queue, p_version, v_client, session_user)
  on conflict (queue, version, client, role_name) do update
  set last_seen_at = clock_timestamp();
  -- Names that a program makes anew at every start would pile up.
  delete from shop.quern_client as c
  where c.ctid = any (array(
    select o.ctid
    from shop.quern_client as o
    where o.last_seen_at < clock_timestamp() - interval '400 days'
    limit 10
    for update skip locked
  ));
end
$$;
comment on function shop.quern_note_client(text, integer) is 'Notes that this session''s program speaks a contract.';
revoke all on function shop.quern_note_client(text, integer) from public;

-- Who works on what, to be looked at; and by which locks others see whether a session lives whose claims they may free. A row
-- is written when a worker begins, when its state changes and every few seconds, by heap-only updates: no index holds what
-- changes while it works.
create table shop.quern_worker (
  worker_id uuid not null default gen_random_uuid(),
  queue text not null,
  consumer text,
  client text not null default current_setting('application_name'),
  role_name text not null default session_user,
  address inet default inet_client_addr(),
  backend_pid integer not null default pg_backend_pid(),
  has_session boolean not null,
  session_key bigint,
  is_freed boolean not null default false,
  status text not null,
  started_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp(),
  constraint quern_worker_key primary key (worker_id),
  constraint quern_worker_status_known check (status in ('ready', 'polling', 'interrupted', 'suspended', 'stopped'))
) with (
  fillfactor = 50
);
comment on table shop.quern_worker is 'The workers of the last day: see quern_workers(), which knows the dead ones.';
comment on column shop.quern_worker.consumer is 'Of a stream.';
comment on column shop.quern_worker.has_session is 'Whether it holds an advisory lock while it lives.';
comment on column shop.quern_worker.session_key is 'Of an advisory lock that its session holds as long as that lives; its claims bear it.';
comment on column shop.quern_worker.is_freed is 'Whether nothing is left that it may hold.';
create index quern_worker_holding on shop.quern_worker (queue) where session_key is not null and not is_freed;

-- Registers a worker, in place of the one that it was in a session before. Where the session is its own it holds advisory
-- locks from now on: one by which others see that it works, and one, unless the session has one already, without which what
-- it has claimed is free. Behind a pooler it must not.
create function shop.quern_worker_begin(p_queue text, p_consumer text, p_has_session boolean, p_former uuid default null)
returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_worker_id constant uuid := gen_random_uuid();
  v_session bigint := case when p_has_session then case when current_setting('quern.session', true) !~ '^-?[0-9]+$' then null when abs(current_setting('quern.session', true)::numeric) < 9223372036854775808 then current_setting('quern.session', true)::bigint end end;
begin
  delete from shop.quern_worker as w
  where w.ctid = any (array(
    select o.ctid
    from shop.quern_worker as o
    where o.beat_at < clock_timestamp() - interval '1 day'
      and (o.beat_at > '-infinity' or o.is_freed or o.changed_at < clock_timestamp() - interval '1 day')
    limit 10
    for update skip locked
  ));
  if p_has_session and v_session is null then
    v_session := hashtextextended(v_worker_id::text, 1);
    perform set_config('quern.session', v_session::text, false), pg_advisory_lock(v_session);
  end if;
  -- What it was leaves the list; the row stays while what was claimed in that session may still have to be freed. Whoever has
  -- it locked is doing so, and may take long.
  perform
  from shop.quern_worker as o
  where o.worker_id = p_former
    and o.role_name = session_user
  for update skip locked;
  if found then
    update shop.quern_worker as w
    set beat_at = '-infinity',
      changed_at = clock_timestamp()
    where w.worker_id = p_former
      and w.session_key is not null
      and w.session_key is distinct from v_session
      and not w.is_freed;
    if not found then
      delete from shop.quern_worker as w
      where w.worker_id = p_former;
    end if;
  end if;
  insert into shop.quern_worker (worker_id, queue, consumer, has_session, session_key, status)
  values (v_worker_id, p_queue, nullif(p_consumer, ''), p_has_session, v_session, 'polling');
  if p_has_session then
    perform pg_advisory_lock(hashtextextended(v_worker_id::text, 0));
  end if;
  return v_worker_id;
end
$$;
comment on function shop.quern_worker_begin(text, text, boolean, uuid) is 'Registers a worker on a queue, or on a consumer of a stream, as polling; returns its id.';
revoke all on function shop.quern_worker_begin(text, text, boolean, uuid) from public;

create function shop.quern_worker_beat(p_worker_id uuid, p_status text)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_session boolean;
begin
  update shop.quern_worker as w
  set beat_at = clock_timestamp(),
    changed_at = case w.status when p_status then w.changed_at else clock_timestamp() end,
    status = p_status,
    is_freed = p_status in ('suspended', 'stopped')
  where w.worker_id = p_worker_id
    and w.role_name = session_user
  returning w.has_session and w.backend_pid = pg_backend_pid()
  into v_has_session;
  if v_has_session and p_status in ('suspended', 'stopped') then
    perform pg_advisory_unlock(hashtextextended(p_worker_id::text, 0));
    if current_setting('quern.session', true) = hashtextextended(p_worker_id::text, 1)::text then
      perform set_config('quern.session', '', false), pg_advisory_unlock(hashtextextended(p_worker_id::text, 1));
    end if;
  end if;
  return v_has_session is not null;
end
$$;
comment on function shop.quern_worker_beat(uuid, text) is 'Says that a worker lives, and what it is about: ready, polling, interrupted, or for the last time suspended or stopped. False when it is not registered for this role.';
revoke all on function shop.quern_worker_beat(uuid, text) from public;

create function shop.quern_workers()
returns table (
  queue text,
  consumer text,
  status text,
  client text,
  role_name text,
  address inet,
  backend_pid integer,
  started_at timestamptz,
  changed_at timestamptz,
  beat_at timestamptz,
  worker_id uuid
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select
    w.queue,
    w.consumer,
    case
      when w.status in ('suspended', 'stopped') then w.status
      when w.has_session and l.is_held then w.status
      when not w.has_session and w.beat_at > clock_timestamp() - interval '10 minutes' then w.status
      else 'dead'
    end,
    w.client,
    w.role_name,
    w.address,
    w.backend_pid,
    w.started_at,
    w.changed_at,
    w.beat_at,
    w.worker_id
  from shop.quern_worker as w
  cross join lateral (
    select exists (
      select
      from pg_locks as l
      where l.locktype = 'advisory'
        and l.objsubid = 1
        and l.granted
        and l.database = (select d.oid from pg_database as d where d.datname = current_database())
        and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(w.worker_id::text, 0)
    )
  ) as l (is_held)
  where w.beat_at > '-infinity'
  order by w.queue, w.consumer, w.started_at;
end;
comment on function shop.quern_workers() is 'Who works on what, and since when. dead: its session is gone, or, of one behind a pooler, it has said nothing for ten minutes.';
revoke all on function shop.quern_workers() from public;

create function shop.quern_payload_problems(p_payload jsonb, p_contract jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
begin atomic
  select string_agg(f.problem, ' ' order by f.field)
  from (
    select
      c.key,
      case
        when not p_payload ? c.key then format('Field "%s" is missing.', c.key)
        else format('Field "%s" must be of type %s, not %s.', c.key, rtrim(c.value, '?'), jsonb_typeof(p_payload -> c.key))
      end
    from jsonb_each_text(p_contract) as c
    where case
        when coalesce(p_payload -> c.key, 'null') = 'null' then c.value not like '%?'
        else rtrim(c.value, '?') not in ('any', jsonb_typeof(p_payload -> c.key))
      end
    union all
    select k.field, format('There is no field "%s".', k.field)
    from jsonb_object_keys(p_payload) as k(field)
    where not p_contract ? k.field
  ) as f(field, problem);
end;
comment on function shop.quern_payload_problems(jsonb, jsonb) is 'Every problem of an untyped payload, which is a JSON object; null when it fits the contract.';
revoke all on function shop.quern_payload_problems(jsonb, jsonb) from public;

create function shop.quern_check_payload(p_queue text, p_payload jsonb, p_contract jsonb)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problems text;
begin
  if jsonb_typeof(p_payload) is distinct from 'object' then
    raise exception using
      errcode = 'QN003',
      message = format('the payload for queue "%s" must be a JSON object', p_queue);
  end if;

  v_problems := shop.quern_payload_problems(p_payload, p_contract);
  if v_problems is not null then
    raise exception using
      errcode = 'QN003',
      message = format('the payload does not fit the contract of queue "%s"', p_queue),
      detail = v_problems;
  end if;
end
$$;
comment on function shop.quern_check_payload(text, jsonb, jsonb) is 'Fails with QN003 and every problem of an untyped payload.';
revoke all on function shop.quern_check_payload(text, jsonb, jsonb) from public;

create function shop.quern_queue_of(p_message_id bigint)
returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select q.queue
  from shop.quern_queue as q
  where q.number = (p_message_id - 1) / 10000000000000;
end;
comment on function shop.quern_queue_of(bigint) is 'The queue that a message id belongs to.';
revoke all on function shop.quern_queue_of(bigint) from public;

-- The untyped doors run with the rights of their caller: whoever may not use a queue's own functions cannot use them here.
create or replace function shop.queue_enqueue(p_queue text, p_payload jsonb, p_delay interval default null)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_queue = 'email' then
    return shop.email_enqueue_json(p_payload, p_delay);
  end if;
  if p_queue = 'webhooks' then
    return shop.webhooks_enqueue_json(p_payload, p_delay);
  end if;
  raise exception using
    errcode = 'QN002',
    message = format('there is no queue "%s"', p_queue);
end
$$;
comment on function shop.queue_enqueue(text, jsonb, interval) is 'Enqueues a JSON payload after checking it against the contract of the queue; returns the message id.';
revoke all on function shop.queue_enqueue(text, jsonb, interval) from public;

create or replace function shop.queue_dequeue(p_queue text)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_queue = 'email' then
    return query select * from shop.email_claim_json();
    return;
  end if;
  if p_queue = 'webhooks' then
    return query select * from shop.webhooks_claim_json();
    return;
  end if;
  raise exception using
    errcode = 'QN002',
    message = format('there is no queue "%s"', p_queue);
end
$$;
comment on function shop.queue_dequeue(text) is 'Claims the next message of a queue, or returns no row.';
revoke all on function shop.queue_dequeue(text) from public;

create or replace function shop.queue_ack(p_message_id bigint, p_attempt integer default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_queue constant text := shop.quern_queue_of(p_message_id);
begin
  if v_queue = 'email' then
    return shop.email_ack(p_message_id, coalesce(p_attempt, shop.email_attempt(p_message_id)));
  end if;
  if v_queue = 'webhooks' then
    return shop.webhooks_ack(p_message_id, coalesce(p_attempt, shop.webhooks_attempt(p_message_id)));
  end if;
  return false;
end
$$;
comment on function shop.queue_ack(bigint, integer) is 'Ends a claimed message, of the given attempt or the present one; false when that attempt has ended before.';
revoke all on function shop.queue_ack(bigint, integer) from public;

-- Whether a call of one of these functions (`email_claim|email_take`) certainly is all of its transaction: the only statement of a
-- message of the simple query protocol, which selects from it and calls nothing else. It is not when a function calls it that
-- goes on to work. When in doubt, and always with the extended protocol, it is not.
create function shop.quern_is_own_call(p_functions text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return now() = statement_timestamp()
    and current_query() ~* ('^\s*select\s[^();]*\m(' || p_functions || ')(_json)?(_v[0-9]+)?"?\s*\([^();]*\)[^();]*;?\s*$');
end
$$;
comment on function shop.quern_is_own_call(text) is 'Whether the call is certain to be all of its transaction.';
revoke all on function shop.quern_is_own_call(text) from public;

-- Whether this statement certainly is the whole of its transaction: the only one of a message of the simple query protocol, and
-- none that could roll back and go on, as a procedure may. When in doubt, and always with the extended protocol, it is not. Of a
-- part of the transaction that could be rolled back alone, a function's exception block, nothing is known here: what is shown
-- there must not leave it. Nor is it known what else the statement does.
create or replace function shop.quern_is_own_transaction()
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return now() = statement_timestamp()
    and current_query() ~* '^\s*(select|with|insert|update|delete|merge|values|table|explain|create|copy)\M'
    and current_query() !~ ';\s*\S';
end
$$;
comment on function shop.quern_is_own_transaction() is 'Whether the call is certain to be a transaction of its own.';
revoke all on function shop.quern_is_own_transaction() from public;

create or replace function shop.stream_publish(p_stream text, p_payload jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_stream = 'activity' then
    perform shop.activity_publish_json(p_payload);
    return;
  end if;
  raise exception using
    errcode = 'QN002',
    message = format('there is no stream "%s"', p_stream);
end
$$;
comment on function shop.stream_publish(text, jsonb) is 'Publishes a JSON payload after checking it against the contract of the stream.';
revoke all on function shop.stream_publish(text, jsonb) from public;

create or replace function shop.stream_consume(p_stream text, p_last_offset bigint, p_count integer default 100)
returns table (event_offset bigint, published_at timestamptz, payload jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_stream = 'activity' then
    return query select r.event_offset, r.published_at, r.payload from shop.activity_read_json(p_last_offset, p_count) as r;
    return;
  end if;
  raise exception using
    errcode = 'QN002',
    message = format('there is no stream "%s"', p_stream);
end
$$;
comment on function shop.stream_consume(text, bigint, integer) is 'The events of a stream after an offset, which the caller keeps.';
revoke all on function shop.stream_consume(text, bigint, integer) from public;

-- What became of each schedule. A time fires only when it is behind last_due_at, and whoever fires holds the row until it has
-- committed: so no time fires twice, however many look, and whatever the clock does.
create table shop.quern_schedule (
  schedule text not null,
  counted_from timestamptz not null default clock_timestamp(),
  last_due_at timestamptz,
  last_fired_at timestamptz,
  failure_count integer not null default 0,
  retry_at timestamptz,
  last_error text,
  constraint quern_schedule_key primary key (schedule)
) with (
  fillfactor = 50
);
comment on table shop.quern_schedule is 'What became of each schedule: see quern_schedules(), which knows what they are.';
comment on column shop.quern_schedule.counted_from is 'Since when it is as it is: earlier times are none of its.';

create function shop.quern_schedule_falls_on(p_days integer[], p_months integer[], p_weekdays integer[], p_day date)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(extract(month from p_day)::integer = any (p_months), true)
    and case
      when p_days is null then coalesce(extract(dow from p_day)::integer = any (p_weekdays), true)
      when p_weekdays is null then extract(day from p_day)::integer = any (p_days)
      else extract(day from p_day)::integer = any (p_days) or extract(dow from p_day)::integer = any (p_weekdays)
    end;
end;
comment on function shop.quern_schedule_falls_on(integer[], integer[], integer[], date) is 'Whether a schedule has times on a day; null stands for any value, and of days and weekdays one suffices.';
revoke all on function shop.quern_schedule_falls_on(integer[], integer[], integer[], date) from public;

-- What a clock of the zone shows becomes a moment. What it never shows, because it is put forward, is due at once when it has
-- been; what it shows twice, because it is put back, is due the first time. A schedule of every hour follows the clock as it
-- runs instead: nothing stands for what it skips, and both of two hours count.
create function shop.quern_schedule_times(p_minutes integer[], p_hours integer[], p_zone text, p_day date)
returns setof timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  select distinct d.due_at
  from unnest(p_hours) as h(hour_shown)
  cross join unnest(p_minutes) as m(minute_shown)
  cross join lateral (select p_day + make_interval(hours => h.hour_shown, mins => m.minute_shown)) as c(shown)
  -- The later of two moments, and the one by the offset of the day before: where they differ the clock was moved in between.
  cross join lateral (select c.shown at time zone p_zone) as l(later_at)
  cross join lateral (select l.later_at - interval '24 hours') as b(before_at)
  cross join lateral (
    select (c.shown - ((b.before_at at time zone p_zone) - (b.before_at at time zone 'UTC'))) at time zone 'UTC'
  ) as e(early_at)
  cross join lateral (
    select e.early_at
    where e.early_at at time zone p_zone = c.shown
    union all
    select l.later_at
    where l.later_at at time zone p_zone = c.shown
      and (cardinality(p_hours) = 24 or e.early_at at time zone p_zone <> c.shown)
    union all
    select min(g.moment)
    from generate_series(e.early_at - ((e.early_at at time zone p_zone) - c.shown), e.early_at, interval '1 minute') as g(moment)
    where cardinality(p_hours) < 24
      and e.early_at at time zone p_zone <> c.shown
      and l.later_at at time zone p_zone <> c.shown
      and g.moment at time zone p_zone > c.shown
    having count(*) > 0
  ) as d(due_at);
end;
comment on function shop.quern_schedule_times(integer[], integer[], text, date) is 'The moments at which a schedule is due on a day of its zone.';
revoke all on function shop.quern_schedule_times(integer[], integer[], text, date) from public;

create function shop.quern_schedule_next(p_minutes integer[], p_hours integer[], p_days integer[], p_months integer[], p_weekdays integer[], p_zone text, p_after timestamptz)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_day date := (p_after at time zone p_zone)::date - 1;
  -- Leap days are up to eight years apart.
  v_last constant date := v_day + 3000;
  v_due_at timestamptz;
begin
  while v_day <= v_last loop
    if shop.quern_schedule_falls_on(p_days, p_months, p_weekdays, v_day) then
      select min(t.due_at)
      into v_due_at
      from shop.quern_schedule_times(p_minutes, p_hours, p_zone, v_day) as t(due_at)
      where t.due_at > p_after;
      if v_due_at is not null then
        return v_due_at;
      end if;
    end if;
    v_day := v_day + 1;
  end loop;
  return null;
end
$$;
comment on function shop.quern_schedule_next(integer[], integer[], integer[], integer[], integer[], text, timestamptz) is 'When a schedule is due next after a moment.';
revoke all on function shop.quern_schedule_next(integer[], integer[], integer[], integer[], integer[], text, timestamptz) from public;

create function shop.quern_schedule_due(p_minutes integer[], p_hours integer[], p_days integer[], p_months integer[], p_weekdays integer[], p_zone text, p_after timestamptz, p_until timestamptz, p_count integer)
returns timestamptz[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_day date := (p_until at time zone p_zone)::date + 1;
  v_first constant date := (p_after at time zone p_zone)::date - 1;
  v_due timestamptz[] := '{}';
begin
  while v_day >= v_first and cardinality(v_due) < p_count loop
    if shop.quern_schedule_falls_on(p_days, p_months, p_weekdays, v_day) then
      -- A day that a zone leaves out is due with the one behind it.
      v_due := array(
        select t.due_at
        from shop.quern_schedule_times(p_minutes, p_hours, p_zone, v_day) as t(due_at)
        where t.due_at > p_after
          and t.due_at <= p_until
          and t.due_at <> all (v_due)
        order by t.due_at
      ) || v_due;
    end if;
    v_day := v_day - 1;
  end loop;
  return v_due[greatest(cardinality(v_due) - p_count + 1, 1):];
end
$$;
comment on function shop.quern_schedule_due(integer[], integer[], integer[], integer[], integer[], text, timestamptz, timestamptz, integer) is 'The last moments at which a schedule was due within a time, in their order.';
revoke all on function shop.quern_schedule_due(integer[], integer[], integer[], integer[], integer[], text, timestamptz, timestamptz, integer) from public;

create function shop.quern_schedule_declared()
returns table (
  schedule text,
  target text,
  cron text,
  zone text,
  minutes integer[],
  hours integer[],
  days integer[],
  months integer[],
  weekdays integer[],
  catch_up text,
  runner text,
  doc text
)
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  values
    ('daily_report', 'webhooks', '30 6 * * mon-fri', 'Europe/Berlin', array[30], array[6], null::integer[], null::integer[], array[1, 2, 3, 4, 5], 'last', 'quern', 'Yesterday''s figures, before work begins.');
end;
comment on function shop.quern_schedule_declared() is 'The schedules as the declaration has them; null stands for any value of a field.';
revoke all on function shop.quern_schedule_declared() from public;

create function shop.quern_schedule_fire(p_schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule = 'daily_report' then
    return shop.webhooks_enqueue_json_v1('{"type": "daily"}');
  end if;
  raise exception using
    errcode = 'QN030',
    message = format('there is no schedule "%s"', p_schedule);
end
$$;
comment on function shop.quern_schedule_fire(text) is 'Enqueues or publishes what a schedule is for; returns the message id.';
revoke all on function shop.quern_schedule_fire(text) from public;

-- Fires what is due, each time in the transaction of the caller, and says when to come again: at the smallest of next_due_at,
-- or after the smallest wait, which is by the clock of the server. A schedule that cannot fire is tried again, later each time,
-- and keeps no other one back.
create function shop.quern_schedule_run(p_runner text default 'quern', p_count integer default 100)
returns table (schedule text, due_at timestamptz, message_id bigint, error text, next_due_at timestamptz, wait interval)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  v_one record;
  v_state shop.quern_schedule;
  v_now timestamptz;
  v_after timestamptz;
  v_due timestamptz[];
  v_due_at timestamptz;
  v_place integer;
  v_next_due_at timestamptz;
  v_message_id bigint;
  v_error text;
  v_code text;
begin
  -- Always in the same order: two runs wait for each other, and never in a circle.
  for v_one in
    select d.*
    from shop.quern_schedule_declared() as d
    where d.runner = p_runner
    order by d.schedule
  loop
    insert into shop.quern_schedule as s (schedule)
    select v_one.schedule
    where not exists (select from shop.quern_schedule as o where o.schedule = v_one.schedule)
    on conflict on constraint quern_schedule_key do nothing;
    -- Whoever comes second waits here, and goes on with what the first one has left.
    select s.*
    into v_state
    from shop.quern_schedule as s
    where s.schedule = v_one.schedule
    for no key update;

    v_now := clock_timestamp();
    v_after := greatest(v_state.last_due_at, v_state.counted_from);
    v_error := null;
    v_due := '{}';
    v_due_at := null;
    -- A clock that was put back would make it wait for long.
    if v_state.retry_at > v_now and v_state.retry_at < v_now + interval '2 minutes' then
      v_next_due_at := v_state.retry_at;
    else
      begin
        v_due := shop.quern_schedule_due(
          v_one.minutes, v_one.hours, v_one.days, v_one.months, v_one.weekdays, v_one.zone,
          case v_one.catch_up when 'none' then greatest(v_after, v_now - interval '2 minutes') else v_after end,
          v_now,
          case v_one.catch_up when 'all' then 1000 else 1 end
        );
        v_due := v_due[:greatest(p_count, 1)];
        v_next_due_at := shop.quern_schedule_next(
          v_one.minutes, v_one.hours, v_one.days, v_one.months, v_one.weekdays, v_one.zone,
          case when v_one.catch_up = 'all' and cardinality(v_due) > 0 then v_due[cardinality(v_due)] else greatest(v_after, v_now) end
        );
      exception
        when others then
          -- The server has lost the zone.
          v_due := '{}';
          get stacked diagnostics v_error = message_text, v_code = returned_sqlstate;
          v_error := format('%s (%s)', v_error, v_code);
          v_next_due_at := v_now + interval '1 minute';
          update shop.quern_schedule as s
          set failure_count = s.failure_count + 1,
            retry_at = v_next_due_at,
            last_error = v_error
          where s.schedule = v_one.schedule;
      end;
    end if;

    for v_place in 1..cardinality(v_due) loop
      v_due_at := v_due[v_place];
      begin
        v_message_id := shop.quern_schedule_fire(v_one.schedule);
        update shop.quern_schedule as s
        set last_due_at = v_due_at,
          last_fired_at = clock_timestamp(),
          failure_count = 0,
          retry_at = null,
          last_error = null
        where s.schedule = v_one.schedule;
      exception
        when others then
          get stacked diagnostics v_error = message_text, v_code = returned_sqlstate;
          v_error := format('%s (%s)', v_error, v_code);
          v_next_due_at := clock_timestamp() + least(interval '1 second' * power(2, least(v_state.failure_count, 6)), interval '1 minute');
          update shop.quern_schedule as s
          set failure_count = s.failure_count + 1,
            retry_at = v_next_due_at,
            last_error = v_error
          where s.schedule = v_one.schedule;
      end;
      exit when v_error is not null;
      return query select v_one.schedule, v_due_at, v_message_id, null::text, coalesce(v_due[v_place + 1], v_next_due_at), coalesce(v_due[v_place + 1], v_next_due_at) - clock_timestamp();
    end loop;
    if v_error is not null then
      return query select v_one.schedule, v_due_at, null::bigint, v_error, v_next_due_at, v_next_due_at - clock_timestamp();
    elsif cardinality(v_due) = 0 then
      return query select v_one.schedule, null::timestamptz, null::bigint, null::text, v_next_due_at, v_next_due_at - clock_timestamp();
    end if;
  end loop;
end
$$;
comment on function shop.quern_schedule_run(text, integer) is 'Fires what is due of the schedules of a runner: a row for each time that fired or failed, and one for each schedule that had none, with when to come again.';
revoke all on function shop.quern_schedule_run(text, integer) from public;

create function shop.quern_schedules()
returns table (
  schedule text,
  target text,
  cron text,
  zone text,
  catch_up text,
  runner text,
  last_due_at timestamptz,
  last_fired_at timestamptz,
  next_due_at timestamptz,
  overdue_since timestamptz,
  failure_count integer,
  last_error text,
  doc text
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select
    d.schedule,
    d.target,
    d.cron,
    d.zone,
    d.catch_up,
    d.runner,
    s.last_due_at,
    s.last_fired_at,
    shop.quern_schedule_next(d.minutes, d.hours, d.days, d.months, d.weekdays, d.zone, greatest(s.last_due_at, clock_timestamp())),
    case when o.due_at <= clock_timestamp() then o.due_at end,
    coalesce(s.failure_count, 0),
    s.last_error,
    d.doc
  from shop.quern_schedule_declared() as d
  left join shop.quern_schedule as s using (schedule)
  cross join lateral (
    select shop.quern_schedule_next(
      d.minutes, d.hours, d.days, d.months, d.weekdays, d.zone,
      case d.catch_up
        when 'none' then greatest(s.last_due_at, s.counted_from, clock_timestamp() - interval '2 minutes')
        else greatest(s.last_due_at, coalesce(s.counted_from, clock_timestamp()))
      end
    )
  ) as o(due_at)
  order by d.schedule;
end;
comment on function shop.quern_schedules() is 'The schedules, what became of them and when they are due next. overdue_since: nobody has fired a time that has passed.';
revoke all on function shop.quern_schedules() from public;

grant execute on function shop.quern_schedule_run(text, integer), shop.quern_schedules() to ops;

do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'Europe/Berlin') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "Europe/Berlin", which the schedule "daily_report" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('daily_report')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;

-- reverse
drop function shop.quern_schedules;
drop function shop.quern_schedule_run;
drop function shop.quern_schedule_fire;
drop function shop.quern_schedule_declared;
drop function shop.quern_schedule_due;
drop function shop.quern_schedule_next;
drop function shop.quern_schedule_times;
drop function shop.quern_schedule_falls_on;
drop function shop.stream_consume;
drop function shop.stream_publish;
drop function shop.quern_is_own_transaction;
drop function shop.quern_is_own_call;
drop function shop.queue_ack;
drop function shop.queue_dequeue;
drop function shop.queue_enqueue;
drop function shop.quern_queue_of;
drop function shop.quern_check_payload;
drop function shop.quern_payload_problems;
drop function shop.quern_workers;
drop function shop.quern_worker_beat;
drop function shop.quern_worker_begin;
drop function shop.quern_note_client;
drop function shop.quern_handshake;
drop table shop.quern_client, shop.quern_contract, shop.quern_queue, shop.quern_schedule, shop.quern_worker;

drop type shop.channel;
