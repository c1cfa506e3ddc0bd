-- quern migration: activity/0001_create
-- Creates stream activity: its tables, its functions for contract v1 and the rights on them.
-- roles: mailer, ops, web

-- step: create
-- lock: none but on the new objects
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create sequence shop.activity_event_number as bigint;

-- Hints that are written at once and roll back with nobody: the segment that publishers fill, since when, and when it was
-- last looked whether there is something to clear away.
create sequence shop.activity_segment as bigint minvalue 0;
create sequence shop.activity_rotated_at as bigint minvalue 0;
create sequence shop.activity_maintained_at as bigint minvalue 0;
select setval('shop.activity_segment', 0), setval('shop.activity_rotated_at', floor(extract(epoch from clock_timestamp()))::bigint);

-- Only ever inserted into, and emptied by TRUNCATE, a segment at a time: no row of it dies. Whoever publishes has a
-- transaction id from then on: the stamp, by which events are found when it has ended.
create table shop.activity_event (
  segment smallint not null default pg_sequence_last_value('shop.activity_segment'),
  stamp xid8 not null default pg_current_xact_id(),
  event_number bigint not null default nextval('shop.activity_event_number'),
  published_at timestamptz not null default clock_timestamp(),
  contract_version smallint not null,
  customer_id bigint not null,
  kind text not null,
  detail jsonb,
  constraint activity_kind_max_length check (char_length(kind) <= 40),
  constraint activity_contract_version_known check (contract_version = 1)
) partition by list (segment);
comment on table shop.activity_event is 'Everything that a customer did.';
create table shop.activity_event_0 partition of shop.activity_event (
  constraint activity_event_0_key primary key (stamp, event_number)
) for values in (0);
create table shop.activity_event_1 partition of shop.activity_event (
  constraint activity_event_1_key primary key (stamp, event_number)
) for values in (1);
create table shop.activity_event_2 partition of shop.activity_event (
  constraint activity_event_2_key primary key (stamp, event_number)
) for values in (2);
create table shop.activity_event_3 partition of shop.activity_event (
  constraint activity_event_3_key primary key (stamp, event_number)
) for values in (3);
create table shop.activity_event_4 partition of shop.activity_event (
  constraint activity_event_4_key primary key (stamp, event_number)
) for values in (4);

-- A page gives up to 1,000 events their offsets: an event's is the first one of its page and its rank in there, by
-- (stamp, event_number). In the page are those between its ends whose transaction had ended in the snapshot `hi` and had not
-- in `lo`, the one of the seal before; a snapshot is kept as the first transaction id that had not begun (next) and those
-- before it that had not ended (running). A page without events only carries `hi` on.
create table shop.activity_page (
  segment smallint not null,
  first_offset bigint not null,
  last_offset bigint not null,
  first_stamp xid8 not null,
  first_number bigint not null,
  last_stamp xid8 not null,
  last_number bigint not null,
  mark_stamps xid8[] not null,
  mark_numbers bigint[] not null,
  is_dense boolean not null,
  is_joined boolean not null,
  is_settled boolean not null,
  lo_next xid8 not null,
  lo_running xid8[] not null,
  hi_next xid8 not null,
  hi_running xid8[] not null,
  drawn_number bigint not null,
  home bigint not null,
  foreign_segments smallint[] not null,
  sealed_by xid8 not null,
  sealed_at timestamptz not null
) partition by list (segment);
comment on column shop.activity_page.mark_stamps is 'Of every 128th event behind the first: a read of the last ones of a page begins there.';
comment on column shop.activity_page.is_dense is 'Whether no event of another page can stand between the ends of this one.';
comment on column shop.activity_page.is_joined is 'Whether none can stand between the page before and the end of this one, either.';
comment on column shop.activity_page.is_settled is 'Whether another seal would give its events the same offsets, were this one taken back.';
comment on column shop.activity_page.drawn_number is 'Events with a greater number were published after this page was sealed.';
comment on column shop.activity_page.home is 'Where these transaction ids are from: see activity_home.';
comment on column shop.activity_page.foreign_segments is 'Those that were filled in another cluster: their events have their offsets, and stamps that mean nothing here.';
create table shop.activity_page_0 partition of shop.activity_page (
  constraint activity_page_0_key primary key (first_offset, last_offset)
) for values in (0);
create index activity_page_0_sealed on shop.activity_page_0 (sealed_at);
create table shop.activity_page_1 partition of shop.activity_page (
  constraint activity_page_1_key primary key (first_offset, last_offset)
) for values in (1);
create index activity_page_1_sealed on shop.activity_page_1 (sealed_at);
create table shop.activity_page_2 partition of shop.activity_page (
  constraint activity_page_2_key primary key (first_offset, last_offset)
) for values in (2);
create index activity_page_2_sealed on shop.activity_page_2 (sealed_at);
create table shop.activity_page_3 partition of shop.activity_page (
  constraint activity_page_3_key primary key (first_offset, last_offset)
) for values in (3);
create index activity_page_3_sealed on shop.activity_page_3 (sealed_at);
create table shop.activity_page_4 partition of shop.activity_page (
  constraint activity_page_4_key primary key (first_offset, last_offset)
) for values in (4);
create index activity_page_4_sealed on shop.activity_page_4 (sealed_at);

-- A number that is another one after a restore: of the cluster and of the table. Clusters that were copied share theirs.
create function shop.activity_home()
returns bigint
language sql
begin atomic
  select (pg_control_system()).system_identifier # ('shop.activity_page'::regclass::oid::bigint << 32);
end;

-- What is before the first event.
insert into shop.activity_page
select 0, 1, 0, '0', 0, '0', 0, '{}', '{}', false, false, true, '0', '{}', '0', '{}', 0, shop.activity_home(), '{}', pg_current_xact_id(), clock_timestamp();

create table shop.activity_consumer (
  consumer text not null,
  subscribed_at timestamptz not null default clock_timestamp(),
  is_cooperative boolean not null default false,
  lease interval not null default interval '30 seconds',
  max_attempts integer not null default 8,
  backoff text not null default 'exponential',
  initial_delay interval not null default interval '1 second',
  longest_delay interval not null default interval '1 hour',
  jitter float8 not null default 0.2,
  constraint activity_consumer_key primary key (consumer)
);
comment on table shop.activity_consumer is 'Who reads stream activity and is waited for before events are cleared away.';
comment on column shop.activity_consumer.is_cooperative is 'Whether many workers share its cursor. What follows is of such consumers alone.';

create sequence shop.activity_position_id as bigint;

-- Where each consumer is: the newest counts. A position names the one that it follows, which only one can: so exactly one
-- of all acknowledgements of a batch succeeds. Of a cooperative consumer: where it was when it became one.
create table shop.activity_position (
  consumer text not null,
  position_id bigint not null default nextval('shop.activity_position_id'),
  previous_id bigint not null,
  up_to bigint not null,
  moved_at timestamptz not null default clock_timestamp(),
  constraint activity_position_key primary key (consumer, position_id),
  constraint activity_position_follows unique (consumer, previous_id)
);
comment on column shop.activity_position.up_to is 'The offset of the last event that was acknowledged.';

-- To which each claim adds something at random: a number that a crash has taken back is not given again.
create sequence shop.activity_claim_id as bigint increment by 1048576;

-- What the workers of cooperative consumers hold: ranges of offsets. A claim is a chain of rows of which the newest counts;
-- each says what is left of the range, until when and whose it is. The first row of the newest claim of a consumer also says
-- how far all was claimed, and which claims were open then: the others need not be looked at. Rows are only ever inserted.
create table shop.activity_claim (
  consumer text not null,
  claim_id bigint not null,
  step integer not null default 0,
  next_offset bigint not null,
  last_offset bigint not null,
  picked bigint[],
  keys bigint[],
  ordered_by text,
  failed bigint[] not null default '{}',
  attempt integer not null,
  is_open boolean not null default true,
  lease_until timestamptz not null,
  session_key bigint,
  up_to bigint,
  open_claims bigint[],
  cursor_segment smallint,
  cursor_stamp xid8,
  cursor_number bigint,
  cursor_left bigint,
  cursor_home bigint,
  moved_at timestamptz not null default clock_timestamp(),
  constraint activity_claim_key primary key (consumer, claim_id, step)
);
comment on column shop.activity_claim.next_offset is 'The first event of the range that is not done.';
comment on column shop.activity_claim.picked is 'What of the range a filter has let through, or an order, and is not done; null: all of it.';
comment on column shop.activity_claim.keys is 'Of a consumer that is ordered: the hash of the key of each that was picked, by the column ordered_by.';
comment on column shop.activity_claim.failed is 'Events of the range that failed alone, and go their own way: see activity_failed.';
comment on column shop.activity_claim.lease_until is 'When others may take it over; -infinity: it is nobody''s.';
comment on column shop.activity_claim.cursor_left is 'How many events of the same page follow the one up to which all was claimed, which the cursor is at; null: not known.';
comment on column shop.activity_claim.session_key is 'The advisory lock of the session that works on it, if that has enlisted itself.';

-- Events that failed at a cooperative consumer: each waits for its next attempt, is claimed again, or is dead. They are copies,
-- so that the events themselves need not be kept for them. At a consumer that is ordered also events that wait for others of
-- their key.
create table shop.activity_failed (
  consumer text not null,
  event_offset bigint not null,
  attempt integer not null,
  due_at timestamptz not null,
  claim_id bigint,
  session_key bigint,
  failed_at timestamptz not null default clock_timestamp(),
  dead_at timestamptz,
  last_error text,
  order_key bigint,
  is_blocking boolean not null default false,
  published_at timestamptz not null,
  contract_version smallint not null,
  customer_id bigint not null,
  kind text not null,
  detail jsonb,
  constraint activity_failed_key primary key (consumer, event_offset)
) with (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index activity_failed_due on shop.activity_failed (consumer, due_at) where dead_at is null;
create index activity_failed_held on shop.activity_failed (consumer, claim_id) where claim_id is not null;
create index activity_failed_by_key on shop.activity_failed (consumer, order_key, event_offset) where order_key is not null;
comment on table shop.activity_failed is 'Events of stream activity that failed at a cooperative consumer; those with dead_at are its dead letters.';
comment on column shop.activity_failed.due_at is 'When it may be claimed: after its delay, or when the lease of its claim runs out; infinity: with or after another one of its key.';
comment on column shop.activity_failed.order_key is 'The hash of its key, where the consumer is ordered and it has one.';
comment on column shop.activity_failed.is_blocking is 'Whether this dead letter keeps later events of its key back until it is redriven or purged.';

-- Wakes waiting consumers. These share an advisory lock while they wait: when it is free, nobody listens, and a
-- notification, which makes commits wait for each other, is saved.
create function shop.activity_wake()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_unlocked boolean;
begin
  if pg_try_advisory_lock(-6277507035114536254) then
    v_is_unlocked := pg_advisory_unlock(-6277507035114536254);
  else
    perform pg_notify('shop.activity', '');
  end if;
end
$$;
comment on function shop.activity_wake is 'Tells waiting consumers that there may be events.';

-- What every reader begins with: the newest page, after the checks that hold for all of them.
create function shop.activity_newest_page()
returns shop.activity_page
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_page shop.activity_page;
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'a stream can be read in a READ COMMITTED transaction only',
      hint = 'Read in a transaction of its own, or begin this one with READ COMMITTED: see default_transaction_isolation.';
  end if;
  select p.*
  into v_page
  from shop.activity_page as p
  order by p.first_offset desc, p.last_offset desc
  limit 1;
  if v_page.home is distinct from shop.activity_home() or v_page.hi_next > pg_snapshot_xmax(pg_current_snapshot()) then
    raise exception using
      errcode = 'QN020',
      message = 'stream "activity" was brought here from another cluster, where transactions had other ids',
      hint = 'Run once: select shop.activity_restored().';
  end if;
  return v_page;
end
$$;

-- The page of an event, or the newest one before it, as if it began with the last mark that is not behind the event: from its
-- first event it is less than 128 to that one. The settings of its callers hold.
create function shop.activity_page_of(p_offset bigint, out page shop.activity_page)
language plpgsql
as $$
declare
  v_mark integer;
begin
  select p.*
  into page
  from shop.activity_page as p
  where p.first_offset <= p_offset
  order by p.first_offset desc, p.last_offset desc
  limit 1;
  v_mark := (least(p_offset, page.last_offset) - page.first_offset) / 128;
  if v_mark > 0 then
    page.first_offset := page.first_offset + 128 * v_mark;
    page.first_stamp := page.mark_stamps[v_mark];
    page.first_number := page.mark_numbers[v_mark];
  end if;
end
$$;

-- Where the event with this offset stands, and how many follow it in its page, before which no event of another page can come.
-- What is read there later is what has these offsets: none of it is emptied before it is acknowledged. The settings of its
-- callers hold.
create function shop.activity_cursor_at(
  p_offset bigint, out segment smallint, out stamp xid8, out event_number bigint, out left_in_page bigint, out home bigint
)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_page constant shop.activity_page := shop.activity_page_of(p_offset);
begin
  if not v_page.is_dense or v_page.last_offset <= p_offset then
    return;
  end if;
  select e.segment, e.stamp, e.event_number, v_page.last_offset - p_offset, v_page.home
  into segment, stamp, event_number, left_in_page, home
  from shop.activity_event as e
  where e.segment = v_page.segment
    and (e.stamp, e.event_number) >= (v_page.first_stamp, v_page.first_number)
  order by e.stamp, e.event_number
  offset p_offset - v_page.first_offset
  limit 1;
end
$$;

-- The first of the events that are kept without a gap up to the newest. What is left of older ones, after segments between
-- them were emptied, is beyond the retention and acknowledged by all.
create function shop.activity_first_offset()
returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  select max(p.first_offset)
  from (
    select
      n.first_offset,
      n.first_offset is distinct from lag(n.last_offset) over (order by n.first_offset, n.last_offset) + 1 as is_first
    from shop.activity_page as n
  ) as p
  where p.is_first;
end;

-- Fails unless the events after this offset are all kept. The lock on the pages keeps them until the end of the transaction.
create function shop.activity_check_offset(p_after bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_newest constant shop.activity_page := shop.activity_newest_page();
  v_first bigint;
begin
  if p_after is null or p_after < 0 or p_after > v_newest.last_offset then
    raise exception using
      errcode = 'QN005',
      message = format('there is no offset %s in stream "activity"', coalesce(p_after::text, 'null')),
      detail = format('Its events have the offsets 1 to %s.', v_newest.last_offset);
  end if;
  v_first := shop.activity_first_offset();
  if p_after + 1 < v_first then
    raise exception using
      errcode = 'QN022',
      message = format('events before offset %s of stream "activity" are not kept any more', v_first),
      hint = format('Read after offset %s, which is the oldest place there is.', v_first - 1);
  end if;
end
$$;

-- The offset before which there is nothing that was published at that time or later.
create function shop.activity_offset_at(p_at timestamptz)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  v_newest constant shop.activity_page := shop.activity_newest_page();
begin
  -- Segments may be emptied in another order than they were filled.
  return greatest(
    coalesce(
      (
        select p.first_offset - 1
        from shop.activity_page as p
        where p.sealed_at >= p_at
        order by p.sealed_at, p.first_offset
        limit 1
      ),
      v_newest.last_offset
    ),
    shop.activity_first_offset() - 1
  );
end
$$;
comment on function shop.activity_offset_at is 'An offset to read after: all events that were published at p_at or later have a greater one.';

-- By which column the events of a consumer are ordered: those with the same value are handled one at a time. Null: by none.
create function shop.activity_ordered_by(p_consumer text)
returns text
language sql immutable
begin atomic
  select null::text;
end;

-- Whether a dead letter keeps the later events of its key back.
create function shop.activity_blocks(p_consumer text)
returns boolean
language sql immutable
begin atomic
  select false;
end;

-- The hash of an event's key; null where it has none, and no order. Part of the statements that call it.
create function shop.activity_key_of(p_consumer text, p_event shop.activity_event)
returns bigint
language sql stable
begin atomic
  select null::bigint;
end;

-- The same of an event that stands there.
create function shop.activity_key_of_failed(p_consumer text, p_failed shop.activity_failed)
returns bigint
language sql stable
begin atomic
  select null::bigint;
end;

create function shop.activity_blocked()
returns table (consumer text, key text, event_offset bigint, attempts integer, last_error text, blocked_since timestamptz, waiting bigint)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select b.consumer, b.key, b.event_offset, b.attempts, b.last_error, b.blocked_since, b.waiting
  from (
    select distinct on (e.consumer, e.order_key)
      e.consumer,
      null::text as key,
      e.event_offset,
      e.attempt as attempts,
      e.last_error,
      e.dead_at as blocked_since,
      (
        select count(*)
        from shop.activity_failed as f
        where f.consumer = e.consumer
          and f.order_key = e.order_key
          and f.event_offset > e.event_offset
          and f.dead_at is null
      ) as waiting
    from shop.activity_failed as e
    where e.is_blocking
      and e.order_key is not null
    order by e.consumer, e.order_key, e.event_offset
  ) as b
  order by b.consumer, b.event_offset;
end;
comment on function shop.activity_blocked is 'The keys that a dead letter blocks, each with the first and how many events wait for it: redrive or purge it to let them go on.';

create function shop.activity_has_filter(p_consumer text)
returns boolean
language sql immutable
begin atomic
  select false;
end;

-- Which events a consumer gets: what its filter says of them as the newest contract sees them. What that cannot read is not
-- judged, so that whoever can read it gets it; null is no. Part of the statements that call it.
create function shop.activity_wants(p_consumer text, p_event shop.activity_event)
returns boolean
language sql stable
begin atomic
  select true;
end;

-- Gives the events of the transactions that have ended since the last seal their offsets, and returns how many, and the newest
-- page. Nobody waits: while another session seals, both are null. Others are shown these offsets when this transaction has
-- ended. What may not write, as on a standby, goes on with what others have sealed. The settings of its callers hold.
create function shop.activity_seal_to_end(out newest_page shop.activity_page, out sealed bigint)
language plpgsql
as $$
declare
  v_last shop.activity_page;
  v_page shop.activity_page;
  v_snapshot pg_snapshot;
  v_is_flushed boolean;
  v_is_late boolean;
  v_segments smallint[];
  v_stamps xid8[];
  v_numbers bigint[];
  v_count integer;
  v_is_all boolean;
  v_total bigint := 0;
  v_is_settled boolean := true;
begin
  if current_setting('transaction_read_only') = 'on' then
    newest_page := shop.activity_newest_page();
    sealed := 0;
    return;
  elsif not pg_try_advisory_xact_lock(-6277507035114536254 + 1) then
    return;
  end if;

  -- Each is a statement of its own: begun after the lock was ours, it sees all that the one who had it before has committed.
  v_last := shop.activity_newest_page();
  v_snapshot := pg_current_snapshot();
  -- Nothing that the snapshot shows could be taken back by a crash.
  v_is_flushed := pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn();

  v_page.lo_next := v_last.hi_next;
  v_page.lo_running := v_last.hi_running;
  v_page.hi_next := pg_snapshot_xmax(v_snapshot);
  -- No snapshot names the own transaction, which may have published and go on to do so.
  v_page.hi_running := array(
    select r.stamp
    from pg_snapshot_xip(v_snapshot) as r (stamp)
    union all
    select pg_current_xact_id_if_assigned()
    where pg_current_xact_id_if_assigned() < v_page.hi_next
  );
  v_page.home := v_last.home;
  v_page.foreign_segments := v_last.foreign_segments;
  -- First those of the transactions that ran at the last seal, whose ids are all smaller than the others'.
  v_is_late := cardinality(v_page.lo_running) > 0;
  v_page.last_stamp := case when v_is_late then '0'::xid8 else v_page.lo_next end;
  v_page.last_number := 0;
  loop
    if v_is_late then
      select array_agg(e.segment), array_agg(e.stamp), array_agg(e.event_number)
      into v_segments, v_stamps, v_numbers
      from (
        select e.segment, e.stamp, e.event_number
        from shop.activity_event as e
        where e.stamp = any (v_page.lo_running)
          and (e.stamp, e.event_number) > (v_page.last_stamp, v_page.last_number)
          and e.stamp <> all (v_page.hi_running)
          and e.segment <> all (v_page.foreign_segments)
        order by e.stamp, e.event_number
        limit 1000
      ) as e;
    else
      select array_agg(e.segment), array_agg(e.stamp), array_agg(e.event_number)
      into v_segments, v_stamps, v_numbers
      from (
        select e.segment, e.stamp, e.event_number
        from shop.activity_event as e
        where (e.stamp, e.event_number) > (v_page.last_stamp, v_page.last_number)
          and e.stamp < v_page.hi_next
          and e.stamp <> all (v_page.hi_running)
          and e.segment <> all (v_page.foreign_segments)
        order by e.stamp, e.event_number
        limit 1000
      ) as e;
    end if;
    v_count := coalesce(cardinality(v_segments), 0);
    v_is_all := v_count < 1000;
    if v_segments[1] <> any (v_segments) then
      v_is_all := false;
      select min(s.place) - 1
      into v_count
      from unnest(v_segments) with ordinality as s (segment, place)
      where s.segment <> v_segments[1];
    end if;
    if v_count = 0 then
      exit when not v_is_late;
      v_is_late := false;
      v_page.last_stamp := v_page.lo_next;
      v_page.last_number := 0;
      continue;
    end if;

    v_page.segment := v_segments[1];
    v_page.first_stamp := v_stamps[1];
    v_page.first_number := v_numbers[1];
    v_page.last_stamp := v_stamps[v_count];
    v_page.last_number := v_numbers[v_count];
    v_page.mark_stamps := '{}';
    v_page.mark_numbers := '{}';
    if v_count > 128 then
      v_page.mark_stamps := array(select v_stamps[i.place] from generate_series(129, v_count, 128) as i (place));
      v_page.mark_numbers := array(select v_numbers[i.place] from generate_series(129, v_count, 128) as i (place));
    end if;
    v_page.first_offset := v_last.last_offset + 1;
    v_page.last_offset := v_last.last_offset + v_count;
    v_page.is_dense := v_page.first_stamp >= v_page.lo_next
      and not exists (
        select
        from unnest(v_page.hi_running) as r (stamp)
        where r.stamp between v_page.first_stamp and v_page.last_stamp
      );
    v_page.is_joined := v_page.is_dense
      and v_last.segment = v_page.segment
      and (v_page.first_stamp, v_page.first_number) > (v_last.last_stamp, v_last.last_number)
      and not exists (
        select
        from unnest(v_page.hi_running) as r (stamp)
        where r.stamp between v_last.last_stamp and v_page.last_stamp
      );
    -- All transactions up to its last event's have ended, and what will be published comes behind it: those offsets are the
    -- events' whoever seals them. Without that they may be shown only when this seal cannot be taken back any more.
    v_page.is_settled := v_is_flushed
      and (v_last.is_settled or v_last.sealed_by is distinct from pg_current_xact_id_if_assigned())
      and not exists (
        select
        from unnest(v_page.hi_running) as r (stamp)
        where r.stamp < v_page.last_stamp
      );
    v_is_settled := v_is_settled and v_page.is_settled;
    v_page.drawn_number := coalesce(pg_sequence_last_value('shop.activity_event_number'), 0);
    v_page.sealed_by := pg_current_xact_id();
    v_page.sealed_at := greatest(clock_timestamp(), v_last.sealed_at);
    insert into shop.activity_page
    select v_page.*;

    v_last := v_page;
    v_total := v_total + v_count;
    exit when v_is_all and not v_is_late;
  end loop;
  if not v_is_settled and current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  newest_page := v_last;
  sealed := v_total;
end
$$;

-- Up to where a read of p_count events from p_next on may go, and whose pages that are not settled it must not show: its own
-- transaction's, unless that consists of the read alone. New events get their offsets when there is nothing else to give or, when
-- the read is alone, not enough; a seal that is settled need not be flushed then, where the caller says that nothing else does. The settings of its callers hold.
create function shop.activity_end_of_read(
  p_next bigint, p_count bigint, p_is_alone boolean, out newest_page shop.activity_page, out hidden xid8
)
language plpgsql
as $$
declare
  v_is_own constant boolean := p_is_alone is null and shop.quern_is_own_transaction();
  v_is_alone constant boolean := coalesce(p_is_alone, v_is_own);
  v_sealed record;
begin
  newest_page := shop.activity_newest_page();
  if newest_page.last_offset < p_next or v_is_alone and newest_page.last_offset < p_next - 1 + p_count then
    if v_is_alone then
      v_sealed := shop.activity_seal_to_end();
      if p_is_alone and (v_sealed.newest_page).is_settled then
        perform set_config('synchronous_commit', 'off', true);
      end if;
    else
      begin
        v_sealed := shop.activity_seal_to_end();
        -- Where there is nothing to seal, others may do so while this transaction lasts: the lock goes no further than this.
        if v_sealed.sealed = 0 then
          raise raise_exception;
        end if;
      exception
        when raise_exception then
          null;
      end;
    end if;
    newest_page := case when v_sealed.sealed is null then shop.activity_newest_page() else v_sealed.newest_page end;
  end if;
  -- An exception block in a function of the caller would take the seal back, and could keep what was read.
  if not v_is_own or exists (
    select
    from shop.activity_page as p
    where p.first_offset = newest_page.first_offset
      and p.last_offset = newest_page.last_offset
      and p.sealed_by = pg_current_xact_id_if_assigned()
      and not p.is_settled
      and p.xmin::text::bigint <> pg_current_xact_id_if_assigned()::text::bigint % 4294967296
  ) then
    hidden := pg_current_xact_id_if_assigned();
  end if;
end
$$;

create function shop.activity_seal()
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return (shop.activity_seal_to_end()).sealed;
end
$$;
comment on function shop.activity_seal is 'Gives new events their offsets and returns how many, null while another session does so; reads do so by themselves when nothing else is left to read.';

-- Whoever claims for a consumer holds its lock until the end of the transaction; who waits for it gives up after a while,
-- because a transaction may go on for long.
create function shop.activity_wait_for_consumer(p_consumer text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  return true;
exception
  when lock_not_available then
    return false;
end
$$;

-- Fails unless there is a consumer of that name and that kind.
create function shop.activity_check_consumer(p_consumer text, p_is_cooperative boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_cooperative boolean;
begin
  select c.is_cooperative
  into v_is_cooperative
  from shop.activity_consumer as c
  where c.consumer = p_consumer;
  if not found then
    raise exception using
      errcode = 'QN023',
      message = format('stream "activity" has no consumer "%s"', p_consumer),
      hint = 'Declare it, or subscribe it with shop.activity_subscribe.';
  elsif v_is_cooperative and not p_is_cooperative then
    raise exception using
      errcode = 'QN025',
      message = format('consumer "%s" of stream "activity" is cooperative', p_consumer),
      hint = 'Its workers claim what they work on: call shop.activity_claim_v… of your contract.';
  elsif p_is_cooperative and not v_is_cooperative then
    raise exception using
      errcode = 'QN025',
      message = format('consumer "%s" of stream "activity" is not cooperative', p_consumer),
      hint = 'Call shop.activity_receive_v… of your contract, or make it cooperative with shop.activity_share.';
  end if;
end
$$;

-- The first row of the newest claim. Claims are numbered under the consumer's lock.
create function shop.activity_newest_claim(p_consumer text)
returns shop.activity_claim
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_claim shop.activity_claim;
begin
  select n.*
  into v_claim
  from shop.activity_claim as n
  where n.consumer = p_consumer
    and n.step = 0
  order by n.claim_id desc
  limit 1;
  return v_claim;
end
$$;

-- The newest row of each claim that has not ended, as the statement sees them that calls this.
create function shop.activity_open_claims(p_consumer text)
returns setof shop.activity_claim
language sql stable
begin atomic
  select o.*
  from (
    select n.open_claims
    from shop.activity_claim as n
    where n.consumer = p_consumer
      and n.step = 0
    order by n.claim_id desc
    limit 1
  ) as n
  cross join unnest(n.open_claims) as i (claim_id)
  cross join lateral (
    select s.*
    from shop.activity_claim as s
    where s.consumer = p_consumer
      and s.claim_id = i.claim_id
    order by s.step desc
    limit 1
  ) as o
  where o.is_open;
end;

-- How far a consumer is through: up to there nothing is open.
create function shop.activity_done_up_to(p_consumer text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  -- One statement, and so one moment: a claim that is missing among the open ones has ended.
  return (
    select
      case when c.is_cooperative then (
        select least(n.up_to, (
          select min(o.next_offset) - 1
          from shop.activity_open_claims(p_consumer) as o
        ))
        from shop.activity_claim as n
        where n.consumer = p_consumer
          and n.step = 0
        order by n.claim_id desc
        limit 1
      ) else (
        select p.up_to
        from shop.activity_position as p
        where p.consumer = p_consumer
        order by p.position_id desc
        limit 1
      ) end
    from shop.activity_consumer as c
    where c.consumer = p_consumer
  );
end
$$;

-- From here on workers claim after p_up_to.
create function shop.activity_begin_claims(p_consumer text, p_up_to bigint)
returns void
language sql
set search_path = pg_catalog, pg_temp
begin atomic
  insert into shop.activity_claim (consumer, claim_id, next_offset, last_offset, attempt, is_open, lease_until, up_to, open_claims)
  values (p_consumer, nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint, p_up_to + 1, p_up_to, 0, false, '-infinity', p_up_to, '{}');
end;

-- Moves a consumer on whatever it holds, and makes stale what was received before.
create function shop.activity_move_position(p_consumer text, p_up_to bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_position shop.activity_position;
begin
  loop
    select p.*
    into v_position
    from shop.activity_position as p
    where p.consumer = p_consumer
    order by p.position_id desc
    limit 1;
    insert into shop.activity_position (consumer, previous_id, up_to)
    values (p_consumer, v_position.position_id, coalesce(p_up_to, v_position.up_to))
    on conflict (consumer, previous_id) do nothing;
    exit when found;
  end loop;
  return coalesce(p_up_to, v_position.up_to);
end
$$;

-- A number that stands for this session as long as it lives, whatever its claims were made with: the key of an advisory lock
-- that it holds from now on.
create function shop.activity_enlist()
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_key bigint := case when current_setting('quern.session', true) !~ '^-?[0-9]+$' then null when abs(current_setting('quern.session', true)::numeric) < 9223372036854775808 then current_setting('quern.session', true)::bigint end;
begin
  if v_key is null then
    v_key := hashtextextended(gen_random_uuid()::text, 0);
    perform set_config('quern.session', v_key::text, false);
  end if;
  perform pg_advisory_lock(v_key);
  return v_key;
end
$$;
comment on function shop.activity_enlist is 'From now on the claims of this session are free as soon as it ends, whatever their leases. Not to be called behind a pooler that hands each transaction to another session.';

create function shop.activity_share(
  p_consumer text,
  p_lease interval default interval '30 seconds',
  p_max_attempts integer default 8,
  p_backoff text default 'exponential',
  p_initial interval default interval '1 second',
  p_max interval default interval '1 hour',
  p_jitter float8 default 0.2
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_was_cooperative boolean;
begin
  if (p_lease > interval '0' and p_lease <= interval '100000 years' and p_max_attempts >= 1 and p_backoff in ('constant', 'linear', 'exponential')
      and p_initial >= interval '0' and p_max >= p_initial and p_max <= interval '100000 years' and p_jitter between 0 and 1) is not true then
    raise exception using
      errcode = 'QN005',
      message = 'a cooperative consumer needs a lease, at least one attempt and a backoff that can be',
      hint = 'p_lease is longer than nothing, p_backoff ''constant'', ''linear'' or ''exponential'', p_max not less than p_initial, p_jitter from 0 to 1; no time is longer than 100000 years.';
  end if;
  -- Fails where the stream was restored and not repaired.
  perform shop.activity_newest_page();
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  select c.is_cooperative
  into v_was_cooperative
  from shop.activity_consumer as c
  where c.consumer = p_consumer
  for update;
  if not found then
    perform shop.activity_check_consumer(p_consumer, false);
  end if;
  update shop.activity_consumer as c
  set is_cooperative = true,
    lease = p_lease,
    max_attempts = p_max_attempts,
    backoff = p_backoff,
    initial_delay = p_initial,
    longest_delay = p_max,
    jitter = p_jitter
  where c.consumer = p_consumer;
  if not v_was_cooperative then
    perform shop.activity_begin_claims(p_consumer, shop.activity_move_position(p_consumer, null));
  end if;
  return not v_was_cooperative;
end
$$;
comment on function shop.activity_share is 'Makes a consumer cooperative, or sets how it works; false when it was cooperative already. Batches that it has received are stale.';

create function shop.activity_unshare(p_consumer text)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_claim shop.activity_claim;
  v_done_up_to bigint;
  v_failed bigint;
begin
  perform shop.activity_newest_page();
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  if exists (select from shop.activity_consumer as c where c.consumer = p_consumer and not c.is_cooperative) then
    return false;
  end if;
  perform shop.activity_check_consumer(p_consumer, true);
  v_claim := shop.activity_newest_claim(p_consumer);
  -- In this order: what fails leaves its claim for the others, never the other way round.
  v_done_up_to := shop.activity_done_up_to(p_consumer);
  select count(*)
  into v_failed
  from shop.activity_failed as f
  where f.consumer = p_consumer
    and f.dead_at is null;
  if v_done_up_to < v_claim.up_to or v_failed > 0 then
    raise exception using
      errcode = 'QN008',
      message = format('consumer "%s" of stream "activity" is not through with what it has claimed', p_consumer),
      detail = format('It is done up to offset %s and has claimed up to %s; %s events wait for another attempt, or for others of their key.', v_done_up_to, v_claim.up_to, v_failed),
      hint = 'Let its workers finish, and start no new ones.';
  end if;
  perform shop.activity_move_position(p_consumer, v_claim.up_to);
  update shop.activity_consumer as c
  set is_cooperative = false
  where c.consumer = p_consumer;
  return true;
end
$$;
comment on function shop.activity_unshare is 'Makes a cooperative consumer a plain one, which goes on where its workers were; false when it was one. Refused while they hold anything. Its dead letters stay.';

-- The newest row of a claim, locked until the end of the transaction against all others who would let a row follow it. Whoever
-- takes claims over leaves those alone that are locked, so nobody waits here for long. The settings of its callers hold.
create function shop.activity_lock_claim(p_consumer text, p_claim_id bigint)
returns shop.activity_claim
language plpgsql
as $$
declare
  v_claim shop.activity_claim;
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'a claim can be ended in a READ COMMITTED transaction only';
  end if;
  perform pg_advisory_xact_lock(hashint8extended(p_claim_id, -6277507035114536254));
  -- A statement of its own: begun after the lock was ours, it sees what the one who had it before has committed.
  select c.*
  into v_claim
  from shop.activity_claim as c
  where c.consumer = p_consumer
    and c.claim_id = p_claim_id
  order by c.step desc
  limit 1;
  return v_claim;
end
$$;

-- Of these keys something has ended: tells those who wait when there is more of them.
create function shop.activity_wake_waiting(p_consumer text, p_keys bigint[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  if exists (
    select
    from (
      select distinct i.order_key
      from unnest(p_keys) as i (order_key)
    ) as k
    join shop.activity_failed as f on f.consumer = p_consumer and f.order_key = k.order_key
    where f.claim_id is null
      and f.dead_at is null
  ) then
    perform shop.activity_wake();
  end if;
end
$$;

-- Acknowledges a claim up to an offset, or all of it. The settings of its callers hold.
create function shop.activity_finish(p_consumer text, p_claim_id bigint, p_offset bigint)
returns bigint
language plpgsql
as $$
declare
  v_claim shop.activity_claim := shop.activity_lock_claim(p_consumer, p_claim_id);
  v_up_to constant bigint := coalesce(p_offset, v_claim.last_offset);
  v_left bigint[];
  v_picked bigint[];
  v_keys bigint[];
  v_count bigint;
begin
  if v_claim.claim_id is null then
    -- Of events that have failed before.
    with gone as (
      delete from shop.activity_failed as f
      where f.consumer = p_consumer
        and f.claim_id = p_claim_id
        and (p_offset is null or f.event_offset <= p_offset)
      returning f.order_key
    )
    select count(*), array_agg(g.order_key) filter (where g.order_key is not null)
    into v_count, v_keys
    from gone as g;
    if v_keys is not null then
      perform shop.activity_wake_waiting(p_consumer, v_keys);
    end if;
    return v_count;
  end if;
  if not v_claim.is_open or v_claim.lease_until = '-infinity' or v_up_to < v_claim.next_offset then
    return 0;
  end if;
  if v_up_to > v_claim.last_offset then
    raise exception using
      errcode = 'QN005',
      message = format('event %s of stream "activity" is not in claim %s', v_up_to, p_claim_id),
      detail = format('Its last event has the offset %s.', v_claim.last_offset);
  end if;
  v_left := v_claim.failed;
  if cardinality(v_left) > 0 then
    v_left := array(select f.event_offset from unnest(v_left) as f (event_offset) where f.event_offset > v_up_to);
  end if;
  if v_claim.picked is not null then
    v_picked := array(select p.event_offset from unnest(v_claim.picked) as p (event_offset) where p.event_offset > v_up_to);
    v_keys := v_claim.keys[cardinality(v_claim.keys) - cardinality(v_picked) + 1:];
  end if;
  insert into shop.activity_claim (
    consumer, claim_id, step, next_offset, last_offset, picked, keys, ordered_by, failed, attempt, is_open, lease_until, session_key
  ) values (
    p_consumer, p_claim_id, v_claim.step + 1, v_up_to + 1, v_claim.last_offset, v_picked, v_keys, v_claim.ordered_by, v_left, v_claim.attempt,
    coalesce(cardinality(v_picked), v_claim.last_offset - v_up_to) > cardinality(v_left), v_claim.lease_until, v_claim.session_key
  );
  if v_claim.keys is not null then
    perform shop.activity_wake_waiting(p_consumer, v_claim.keys[:cardinality(v_claim.picked) - cardinality(v_picked)]);
  end if;
  return coalesce(cardinality(v_claim.picked) - cardinality(v_picked), v_up_to - v_claim.next_offset + 1)
    - (cardinality(v_claim.failed) - cardinality(v_left));
end
$$;

create function shop.activity_extend(p_consumer text, p_batch bigint, p_lease interval default null)
returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_claim shop.activity_claim;
  v_lease_until timestamptz;
begin
  if p_lease <= interval '0' or p_lease > interval '100000 years' or now() + p_lease <= now() then
    raise exception using
      errcode = 'QN005',
      message = 'a lease must be longer than nothing, and 100000 years at most';
  end if;
  perform shop.activity_check_consumer(p_consumer, true);
  v_claim := shop.activity_lock_claim(p_consumer, p_batch);
  select clock_timestamp() + coalesce(p_lease, c.lease)
  into v_lease_until
  from shop.activity_consumer as c
  where c.consumer = p_consumer;

  if v_claim.claim_id is null then
    update shop.activity_failed as f
    set due_at = v_lease_until
    where f.consumer = p_consumer
      and f.claim_id = p_batch;
    return case when found then v_lease_until end;
  end if;
  if not v_claim.is_open or v_claim.lease_until = '-infinity' then
    return null;
  end if;
  insert into shop.activity_claim (
    consumer, claim_id, step, next_offset, last_offset, picked, keys, ordered_by, failed, attempt, lease_until, session_key
  ) values (
    p_consumer, p_batch, v_claim.step + 1, v_claim.next_offset, v_claim.last_offset, v_claim.picked, v_claim.keys, v_claim.ordered_by,
    v_claim.failed, v_claim.attempt, v_lease_until, v_claim.session_key
  );
  return v_lease_until;
end
$$;
comment on function shop.activity_extend is 'Lets the lease of a claim run for p_lease from now on and returns its new end; null when the claim is no longer the current one.';

create function shop.activity_release(p_consumer text, p_batch bigint)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_claim shop.activity_claim;
  v_offsets bigint[];
begin
  perform shop.activity_check_consumer(p_consumer, true);
  v_claim := shop.activity_lock_claim(p_consumer, p_batch);
  if v_claim.claim_id is null then
    with freed as (
      update shop.activity_failed as f
      set due_at = clock_timestamp(),
        attempt = f.attempt - 1,
        claim_id = null,
        session_key = null
      where f.consumer = p_consumer
        and f.claim_id = p_batch
      returning f.event_offset
    )
    select array_agg(f.event_offset)
    into v_offsets
    from freed as f;
    if v_offsets is null then
      return false;
    end if;
    perform shop.activity_line_up(p_consumer, v_offsets);
  elsif not v_claim.is_open or v_claim.lease_until = '-infinity' then
    return false;
  else
    insert into shop.activity_claim (
      consumer, claim_id, step, next_offset, last_offset, picked, keys, ordered_by, failed, attempt, lease_until
    ) values (
      p_consumer, p_batch, v_claim.step + 1, v_claim.next_offset, v_claim.last_offset, v_claim.picked, v_claim.keys, v_claim.ordered_by,
      v_claim.failed, v_claim.attempt - 1, '-infinity'
    );
  end if;
  perform shop.activity_wake();
  return true;
end
$$;
comment on function shop.activity_release is 'Gives what is left of a claim back at once without counting the attempt; false when the claim is no longer the current one.';

-- Keeps copies of events for another attempt or, with p_dead_at, as dead letters.
create function shop.activity_set_aside(
  p_consumer text, p_offsets bigint[], p_attempt integer, p_error text, p_due_at timestamptz, p_dead_at timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_count bigint;
begin
  if cardinality(p_offsets) = 0 then
    return;
  end if;
  insert into shop.activity_failed (
    consumer, event_offset, attempt, due_at, dead_at, last_error, order_key, is_blocking, published_at, contract_version, customer_id, kind, detail
  )
  select
    p_consumer,
    e.event_offset,
    p_attempt,
    -- What has no key waits for no other.
    case when p_due_at = 'infinity' and e.order_key is null then clock_timestamp() else p_due_at end,
    p_dead_at,
    p_error,
    e.order_key,
    p_dead_at is not null and e.order_key is not null and shop.activity_blocks(p_consumer),
    e.published_at, e.contract_version, e.customer_id, e.kind, e.detail
  from (
    select min(o.event_offset) as first_place, max(o.event_offset) as last_place, array_agg(o.event_offset) as places
    from unnest(p_offsets) as o (event_offset)
    cross join lateral shop.activity_page_of(o.event_offset) as p
    group by p.first_offset
  ) as o
  cross join lateral shop.activity_page_of(o.first_place) as p
  cross join lateral (
    select p.first_offset - 1 + row_number() over () as event_offset, n.*
    from (
      select n.*, shop.activity_key_of(p_consumer, n) as order_key
      from shop.activity_event as n
      where n.segment = p.segment
        and (n.stamp, n.event_number) >= (p.first_stamp, p.first_number)
        and (n.stamp, n.event_number) <= (p.last_stamp, p.last_number)
        and (
          p.is_dense
          or (n.stamp >= p.lo_next or n.stamp = any (p.lo_running))
          and n.stamp < p.hi_next
          and n.stamp <> all (p.hi_running)
        )
      order by n.stamp, n.event_number
      limit o.last_place - p.first_offset + 1
    ) as n
  ) as e
  where e.event_offset = any (o.places)
    and e.contract_version <= 1
  on conflict (consumer, event_offset) do update
  set attempt = excluded.attempt,
    due_at = excluded.due_at,
    claim_id = null,
    session_key = null,
    failed_at = excluded.failed_at,
    dead_at = excluded.dead_at,
    last_error = excluded.last_error,
    order_key = excluded.order_key,
    is_blocking = excluded.is_blocking;
  get diagnostics v_count = row_count;
  if v_count < cardinality(p_offsets) then
    raise exception using
      errcode = 'QN024',
      message = format('an event of stream "activity" is not in its page: one of %s', p_offsets);
  end if;
end
$$;

create function shop.activity_nack(p_consumer text, p_batch bigint, p_offset bigint, p_error text default null, p_delay interval default null)
returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_claim shop.activity_claim;
  v_consumer shop.activity_consumer;
  v_attempt integer;
  v_due_at timestamptz;
  v_dead_at timestamptz;
  v_key bigint;
  v_later bigint[] := '{}';
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
  perform shop.activity_check_consumer(p_consumer, true);
  v_claim := shop.activity_lock_claim(p_consumer, p_batch);
  if v_claim.claim_id is null then
    select f.attempt, f.order_key
    into v_attempt, v_key
    from shop.activity_failed as f
    where f.consumer = p_consumer
      and f.claim_id = p_batch
      and f.event_offset = p_offset
    for update;
  elsif v_claim.is_open and v_claim.lease_until > '-infinity'
    and p_offset between v_claim.next_offset and v_claim.last_offset
    and p_offset <> all (v_claim.failed)
    and (v_claim.picked is null or p_offset = any (v_claim.picked)) then
    v_attempt := v_claim.attempt;
    v_key := v_claim.keys[array_position(v_claim.picked, p_offset)];
  end if;
  if v_attempt is null then
    return 'lost';
  end if;

  select c.*
  into v_consumer
  from shop.activity_consumer as c
  where c.consumer = p_consumer;
  if v_attempt >= v_consumer.max_attempts then
    v_dead_at := clock_timestamp();
  end if;
  v_due_at := clock_timestamp() + coalesce(p_delay, make_interval(secs => (1 - v_consumer.jitter * random()) * least(
    extract(epoch from v_consumer.longest_delay)::float8,
    extract(epoch from v_consumer.initial_delay)::float8 * case v_consumer.backoff
      when 'constant' then 1
      when 'linear' then v_attempt
      else power(2::float8, least(v_attempt - 1, 60))
    end
  )));
  -- The later ones of its key wait for it, unless it is dead and they go on without it. They have not been tried.
  if v_claim.claim_id is null then
    update shop.activity_failed as f
    set due_at = v_due_at,
      claim_id = null,
      session_key = null,
      failed_at = clock_timestamp(),
      dead_at = v_dead_at,
      is_blocking = v_dead_at is not null and v_key is not null and shop.activity_blocks(p_consumer),
      last_error = p_error
    where f.consumer = p_consumer
      and f.event_offset = p_offset;
    if v_key is not null and (v_dead_at is null or shop.activity_blocks(p_consumer)) then
      update shop.activity_failed as f
      set due_at = 'infinity',
        attempt = f.attempt - 1,
        claim_id = null,
        session_key = null
      where f.consumer = p_consumer
        and f.claim_id = p_batch
        and f.order_key = v_key
        and f.event_offset > p_offset;
    end if;
  else
    if v_key is not null and (v_dead_at is null or shop.activity_blocks(p_consumer)) then
      v_later := array(
        select p.place
        from unnest(v_claim.picked, v_claim.keys) as p (place, order_key)
        where p.order_key = v_key
          and p.place > p_offset
          and p.place <> all (v_claim.failed)
      );
    end if;
    insert into shop.activity_claim (
      consumer, claim_id, step, next_offset, last_offset, picked, keys, ordered_by, failed, attempt, is_open, lease_until, session_key
    ) values (
      p_consumer, p_batch, v_claim.step + 1, v_claim.next_offset, v_claim.last_offset, v_claim.picked, v_claim.keys, v_claim.ordered_by,
      v_claim.failed || p_offset || v_later, v_claim.attempt,
      coalesce(cardinality(v_claim.picked) - 1, v_claim.last_offset - v_claim.next_offset) > cardinality(v_claim.failed) + cardinality(v_later),
      v_claim.lease_until, v_claim.session_key
    );
    perform shop.activity_set_aside(p_consumer, array[p_offset], v_attempt, p_error, v_due_at, v_dead_at);
    perform shop.activity_set_aside(p_consumer, v_later, greatest(v_attempt - 1, 0), null, 'infinity', null);
  end if;
  if v_dead_at is not null then
    perform shop.activity_wake_waiting(p_consumer, array[v_key]);
    return 'dead';
  end if;
  perform shop.activity_wake();
  return 'retry';
end
$$;
comment on function shop.activity_nack is 'One event of a claim has failed: ''retry'' after p_delay or the consumer''s backoff, ''dead'' after the last attempt, ''lost'' when the claim is no longer the current one. The others go on.';

-- The end of a claim and what follows it: the new one up to an offset, and what is left behind that for whoever comes next.
create function shop.activity_take_over(
  p_old shop.activity_claim, p_claim_id bigint, p_last_offset bigint, p_lease_until timestamptz, p_session_key bigint, p_up_to bigint,
  p_open bigint[]
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_failed constant bigint[] := array(select f.place from unnest(p_old.failed) as f (place) where f.place > p_last_offset);
  v_open bigint[] := array_remove(p_open, p_old.claim_id) || p_claim_id;
  v_picked bigint[];
  v_rest bigint[];
  v_rest_id bigint;
begin
  perform shop.activity_end_claim(p_old);
  if p_old.picked is not null then
    v_picked := array(select p.place from unnest(p_old.picked) as p (place) where p.place <= p_last_offset);
    v_rest := array(select p.place from unnest(p_old.picked) as p (place) where p.place > p_last_offset);
  end if;
  if coalesce(cardinality(v_rest), p_old.last_offset - p_last_offset) > cardinality(v_failed) then
    v_rest_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    v_open := v_open || v_rest_id;
    insert into shop.activity_claim (consumer, claim_id, next_offset, last_offset, picked, failed, attempt, lease_until, up_to, open_claims)
    values (p_old.consumer, v_rest_id, p_last_offset + 1, p_old.last_offset, v_rest, v_failed, p_old.attempt, '-infinity', p_up_to, v_open);
  end if;
  insert into shop.activity_claim (
    consumer, claim_id, next_offset, last_offset, picked, failed, attempt, lease_until, session_key, up_to, open_claims
  ) values (
    p_old.consumer, p_claim_id, p_old.next_offset, p_last_offset, v_picked,
    array(select f.place from unnest(p_old.failed) as f (place) where f.place <= p_last_offset),
    p_old.attempt + 1, p_lease_until, p_session_key, p_up_to, v_open
  );
end
$$;

-- A second end would have the same place in the chain, which is a key.
create function shop.activity_end_claim(p_old shop.activity_claim)
returns void
language sql
set search_path = pg_catalog, pg_temp
begin atomic
  insert into shop.activity_claim (consumer, claim_id, step, next_offset, last_offset, picked, failed, attempt, is_open, lease_until)
  select p_old.consumer, p_old.claim_id, p_old.step + 1, p_old.next_offset, p_old.last_offset, p_old.picked, p_old.failed, p_old.attempt, false, '-infinity';
end;

-- The events of a claim that are to be done.
create function shop.activity_left_of(p_claim shop.activity_claim)
returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_claim.picked is not null then
    return array(select o.place from unnest(p_claim.picked) as o (place) where o.place <> all (p_claim.failed) order by o.place);
  end if;
  return array(
    select o.place
    from generate_series(p_claim.next_offset, p_claim.last_offset) as o (place)
    where o.place <> all (p_claim.failed)
    order by o.place
  );
end
$$;

-- What ran out at its last attempt.
create function shop.activity_bury(p_old shop.activity_claim)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform shop.activity_end_claim(p_old);
  perform shop.activity_set_aside(
    p_old.consumer,
    shop.activity_left_of(p_old),
    p_old.attempt, 'the lease of the last attempt ran out', clock_timestamp(), clock_timestamp()
  );
end
$$;

-- Failed events whose claim ran out, or whose session is gone, are nobody's: due, or dead when it was their last attempt. A claim
-- is freed as a whole or not at all: whoever ends one that very moment holds its lock, and would end what is left of it.
create function shop.activity_free_failed(p_consumer text, p_session_key bigint, p_max_attempts integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_gone constant bigint[] := array(
    select k.session_key
    from (
      select distinct f.session_key
      from shop.activity_failed as f
      where f.consumer = p_consumer
        and f.claim_id is not null
        and f.session_key <> p_session_key
    ) as k
    where pg_try_advisory_xact_lock_shared(k.session_key)
  );
  v_free constant bigint[] := array(
    select k.claim_id
    from (
      select distinct f.claim_id
      from shop.activity_failed as f
      where f.consumer = p_consumer
        and f.claim_id is not null
        and (f.due_at <= clock_timestamp() or f.session_key = any (v_gone))
    ) as k
    where pg_try_advisory_xact_lock(hashint8extended(k.claim_id, -6277507035114536254))
  );
  v_tried bigint[];
  v_others bigint[];
begin
  -- Looked at again now that nobody else can end or extend them. Of each key the first alone was tried.
  select array_agg(t.event_offset) filter (where t.is_tried), array_agg(t.event_offset) filter (where not t.is_tried)
  into v_tried, v_others
  from (
    select
      e.event_offset,
      e.order_key is null or row_number() over (partition by e.claim_id, e.order_key order by e.event_offset) = 1 as is_tried,
      e.due_at <= clock_timestamp() or e.session_key = any (v_gone) as is_free
    from shop.activity_failed as e
    where e.consumer = p_consumer
      and e.claim_id = any (v_free)
  ) as t
  where t.is_free;
  update shop.activity_failed as f
  set due_at = least(f.due_at, clock_timestamp()),
    attempt = f.attempt - 1,
    claim_id = null,
    session_key = null
  where f.consumer = p_consumer
    and f.event_offset = any (v_others);
  update shop.activity_failed as f
  set due_at = least(f.due_at, clock_timestamp()),
    dead_at = case when f.attempt >= p_max_attempts then clock_timestamp() end,
    is_blocking = f.attempt >= p_max_attempts and f.order_key is not null and shop.activity_blocks(p_consumer),
    claim_id = null,
    session_key = null,
    last_error = case when f.attempt >= p_max_attempts then 'the lease of the last attempt ran out' else f.last_error end
  where f.consumer = p_consumer
    and f.event_offset = any (v_tried);
  if v_tried is not null then
    perform shop.activity_line_up(p_consumer, v_tried || v_others);
  end if;
end
$$;

-- What follows is about consumers with an order. An event whose key somebody works on, or of whose key an earlier one stands in
-- activity_failed, is set aside there and waits. Of each key the first that nobody has claimed bears a time, once that
-- can be claimed; those behind it wait with due_at = infinity, and come with it or after it. Rows that nobody has claimed go away
-- under the consumer's lock alone, so what is set aside behind another one is found after it.

-- The keys of what workers hold, as their claims say it; null when one of these is of another order: it knows them not. Read
-- before activity_failed: what fails leaves its claim for that, never the other way round.
create function shop.activity_busy_keys(p_consumer text)
returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_ordered_by constant text := shop.activity_ordered_by(p_consumer);
  v_keys bigint[];
  v_is_known boolean;
begin
  select
    coalesce(array_agg(distinct p.order_key) filter (where p.order_key is not null and p.place <> all (o.failed)), '{}'),
    coalesce(bool_and(o.ordered_by is not distinct from v_ordered_by), true)
  into v_keys, v_is_known
  from shop.activity_open_claims(p_consumer) as o
  left join lateral unnest(o.picked, o.keys) as p (place, order_key) on true;
  return case when v_is_known then v_keys end;
end
$$;

-- Whether nothing of its key comes before an event that nobody has claimed, and nobody has claimed anything of its key.
create function shop.activity_is_first(p_failed shop.activity_failed)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return not exists (
    select
    from shop.activity_failed as b
    where b.consumer = p_failed.consumer
      and b.order_key = p_failed.order_key
      and b.event_offset < p_failed.event_offset
      and (b.dead_at is null or b.is_blocking)
  ) and not exists (
    select
    from shop.activity_failed as b
    where b.consumer = p_failed.consumer
      and b.order_key = p_failed.order_key
      and b.claim_id is not null
  );
end
$$;

-- Whether so many events wait for what is being worked on that no more are looked for: with a few keys that are always busy a
-- consumer that is far behind would copy all of the stream.
create function shop.activity_is_full(p_consumer text, p_busy bigint[])
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return (
    select count(*) >= 5000
    from (
      select
      from (
        select k.order_key
        from unnest(p_busy) as k (order_key)
        union
        select f.order_key
        from shop.activity_failed as f
        where f.consumer = p_consumer
          and f.claim_id is not null
      ) as k
      cross join lateral (
        select
        from shop.activity_failed as f
        where f.consumer = p_consumer
          and f.order_key = k.order_key
          and f.claim_id is null
          and f.dead_at is null
        limit 5000
      ) as f
      limit 5000
    ) as w
  );
end
$$;

-- Of the next events in their order, with the keys of each: sets those aside that have to wait. Says which, and how far the
-- events are dealt with; p_last is how far was looked.
create function shop.activity_sort_out(
  p_consumer text, p_offsets bigint[], p_keys bigint[], p_busy bigint[], p_last bigint, out held bigint[], out up_to bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_behind bigint[];
  v_busy bigint;
  v_new bigint[];
begin
  up_to := p_last;
  -- Once a key, of which there may be few and thousands of events.
  with states as materialized (
    select
      k.order_key,
      k.order_key = any (p_busy) as is_held,
      exists (
        select
        from shop.activity_failed as b
        where b.consumer = p_consumer
          and b.order_key = k.order_key
          and b.claim_id is not null
      ) as is_claimed,
      (
        select b.event_offset
        from shop.activity_failed as b
        where b.consumer = p_consumer
          and b.order_key = k.order_key
          and b.claim_id is null
          and (b.dead_at is null or b.is_blocking)
        order by b.event_offset
        limit 1
      ) as first_waiting
    from (
      select distinct i.order_key
      from unnest(p_keys) as i (order_key)
      where i.order_key is not null
    ) as k
  )
  select
    coalesce(array_agg(w.place order by w.place), '{}'),
    coalesce(array_agg(w.place order by w.place) filter (where not w.is_there), '{}'),
    coalesce(array_agg(w.place order by w.place) filter (where not w.is_there and (w.is_behind or w.rank > 1)), '{}'),
    min(w.place) filter (where w.is_busy)
  into held, v_new, v_behind, v_busy
  from (
    select h.*, row_number() over (partition by h.order_key, h.is_there order by h.place) as rank
    from (
      select
        o.place,
        o.order_key,
        f.is_held or f.is_claimed as is_busy,
        coalesce(f.first_waiting < o.place, false) as is_behind,
        -- After a seek backwards.
        exists (
          select
          from shop.activity_failed as b
          where b.consumer = p_consumer
            and b.event_offset = o.place
            and b.dead_at is null
        ) as is_there
      from unnest(p_offsets, p_keys) as o (place, order_key)
      join states as f on f.order_key = o.order_key
      where f.is_held
        or f.is_claimed
        or f.first_waiting is not null
    ) as h
  ) as w;

  if v_busy is not null and shop.activity_is_full(p_consumer, p_busy) then
    up_to := v_busy - 1;
    held := array(select h.place from unnest(held) as h (place) where h.place <= up_to);
  end if;
  perform shop.activity_set_aside(
    p_consumer, array(select n.place from unnest(v_new) as n (place) where n.place <= up_to and n.place <> all (v_behind)), 0, null,
    clock_timestamp(), null
  );
  perform shop.activity_set_aside(
    p_consumer, array(select n.place from unnest(v_behind) as n (place) where n.place <= up_to), 0, null, 'infinity', null
  );
end
$$;

-- Lets those wait that are behind others of their key.
create function shop.activity_line_up(p_consumer text, p_offsets bigint[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  update shop.activity_failed as f
  set due_at = 'infinity'
  where f.consumer = p_consumer
    and f.event_offset = any (p_offsets)
    and f.order_key is not null
    and f.claim_id is null
    and f.dead_at is null
    and exists (
      select
      from shop.activity_failed as b
      where b.consumer = p_consumer
        and b.order_key = f.order_key
        and b.event_offset < f.event_offset
        and b.claim_id is null
        and (b.dead_at is null or b.is_blocking)
    );
end
$$;

-- What was before them was claimed, or is gone: the next of each key bears a time from now on.
create function shop.activity_promote(p_consumer text, p_keys bigint[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  -- The keys first, of which there may be few and thousands of events.
  with firsts as materialized (
    select n.event_offset
    from (
      select distinct k.order_key
      from unnest(p_keys) as k (order_key)
    ) as k
    cross join lateral (
      select b.event_offset
      from shop.activity_failed as b
      where b.consumer = p_consumer
        and b.order_key = k.order_key
        and b.claim_id is null
        and (b.dead_at is null or b.is_blocking)
      order by b.event_offset
      limit 1
    ) as n
  )
  update shop.activity_failed as f
  set due_at = clock_timestamp()
  from firsts as n
  where f.consumer = p_consumer
    and f.event_offset = n.event_offset
    and f.dead_at is null
    and f.due_at = 'infinity';
end
$$;

-- Ends a claim that nobody works on any more: all that is left of it is set aside, so that it comes in its order, whoever
-- takes it. Of each key the first alone was tried.
create function shop.activity_dissolve(p_old shop.activity_claim, p_max_attempts integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_left constant bigint[] := shop.activity_left_of(p_old);
begin
  perform shop.activity_end_claim(p_old);
  perform shop.activity_set_aside(p_old.consumer, v_left, p_old.attempt, null, clock_timestamp(), null);
  update shop.activity_failed as f
  set attempt = case when t.is_tried then f.attempt else greatest(f.attempt - 1, 0) end,
    dead_at = case when t.is_dead then clock_timestamp() end,
    is_blocking = t.is_dead and f.order_key is not null and shop.activity_blocks(p_old.consumer),
    last_error = case when t.is_dead then 'the lease of the last attempt ran out' end
  from (
    select l.event_offset, l.is_tried, l.is_tried and p_old.attempt >= p_max_attempts as is_dead
    from (
      select e.event_offset, e.order_key is null or row_number() over (partition by e.order_key order by e.event_offset) = 1 as is_tried
      from shop.activity_failed as e
      where e.consumer = p_old.consumer
        and e.event_offset = any (v_left)
    ) as l
  ) as t
  where f.consumer = p_old.consumer
    and f.event_offset = t.event_offset
    and (t.is_dead or not t.is_tried);
  perform shop.activity_line_up(p_old.consumer, v_left);
end
$$;

-- From now on the events that stand there have the keys, and the order, of the consumer as it is declared now.
create function shop.activity_reorder(p_consumer text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  -- Nobody notes a failure meanwhile, with a key as it was.
  lock table shop.activity_failed in share row exclusive mode;
  update shop.activity_failed as f
  set order_key = shop.activity_key_of_failed(p_consumer, f),
    is_blocking = f.is_blocking and shop.activity_blocks(p_consumer),
    due_at = case when f.due_at = 'infinity' then clock_timestamp() else f.due_at end
  where f.consumer = p_consumer;
  perform shop.activity_line_up(p_consumer, array(
    select f.event_offset
    from shop.activity_failed as f
    where f.consumer = p_consumer
  ));
  perform shop.activity_wake();
end
$$;

create function shop.activity_held(p_consumer text, p_batch bigint)
returns bigint[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_claim shop.activity_claim;
begin
  select c.*
  into v_claim
  from shop.activity_claim as c
  where c.consumer = p_consumer
    and c.claim_id = p_batch
  order by c.step desc
  limit 1;
  if not found then
    return array(
      select f.event_offset
      from shop.activity_failed as f
      where f.consumer = p_consumer
        and f.claim_id = p_batch
      order by f.event_offset
    );
  elsif not v_claim.is_open or v_claim.lease_until = '-infinity' then
    return '{}';
  end if;
  return shop.activity_left_of(v_claim);
end
$$;
comment on function shop.activity_held is 'The events of a claim that are still to be done. When one has failed at a consumer that is ordered, those of its key that come after it are not among them any more.';

create function shop.activity_looked_up_to(p_consumer text)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_busy bigint[];
begin
  if shop.activity_ordered_by(p_consumer) is not null then
    v_busy := shop.activity_busy_keys(p_consumer);
    if v_busy is null or shop.activity_is_full(p_consumer, v_busy) then
      return null;
    end if;
  elsif not shop.activity_has_filter(p_consumer) then
    return null;
  end if;
  return (
    select n.up_to
    from (
      select
        case when c.is_cooperative then (
          select s.up_to
          from shop.activity_claim as s
          where s.consumer = p_consumer
            and s.step = 0
          order by s.claim_id desc
          limit 1
        ) else (
          select p.up_to
          from shop.activity_position as p
          where p.consumer = p_consumer
          order by p.position_id desc
          limit 1
        ) end as up_to
      from shop.activity_consumer as c
      where c.consumer = p_consumer
    ) as n
    where n.up_to < (
      select p.last_offset
      from shop.activity_page as p
      order by p.first_offset desc, p.last_offset desc
      limit 1
    )
  );
end
$$;
comment on function shop.activity_looked_up_to is 'Of a consumer with a filter or an order, how far it has looked, while there is more behind that: whoever got nothing looks on at once. Else null.';

create sequence shop.activity_v1_read_at as bigint minvalue 0;
create sequence shop.activity_v1_produced_at as bigint minvalue 0;
comment on sequence shop.activity_v1_read_at is 'When a consumer last used contract v1, in seconds since 1970, to the minute.';
comment on sequence shop.activity_v1_produced_at is 'When a producer last used contract v1, in seconds since 1970, to the minute.';

insert into shop.quern_contract as c (queue, version, fingerprint)
values ('activity', 1, 'b92a8354df2437d4f277076bafae2c3dbd96c9196972b5891f427a0fa6106194')
on conflict (queue, version) do update
set fingerprint = excluded.fingerprint,
  retired_at = null;

-- Up to p_count events after p_after. Pages that follow each other without a gap are read in one go. What may be shown, and when
-- new events get their offsets: see activity_end_of_read.
create function shop.activity_read_v1(p_after bigint, p_count integer default 100, p_is_alone boolean default null)
returns table (
  event_offset bigint,
  published_at timestamptz,
  customer_id bigint,
  kind text,
  detail jsonb
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_reach record;
  v_newest shop.activity_page;
  v_hidden xid8;
  v_after constant bigint := least(coalesce(p_after, 0), 1000000000000000000);  -- further than any stream gets
  v_next bigint := v_after + 1;
  v_end bigint;
  v_first shop.activity_page;
  v_last shop.activity_page;
  v_break bigint;
  v_expected bigint;
  v_readable bigint;
  v_count bigint;
  v_version smallint;
  v_has_newer boolean;
begin
  if p_count is null or p_count < 1 then
    raise exception using
      errcode = 'QN005',
      message = 'the number of events to read must be at least 1';
  end if;
  if v_next <= 0 then
    raise exception using
      errcode = 'QN005',
      message = 'an offset cannot be negative';
  end if;
  v_reach := shop.activity_end_of_read(v_next, p_count, p_is_alone);
  v_newest := v_reach.newest_page;
  v_hidden := v_reach.hidden;
  if (pg_sequence_last_value('shop.activity_v1_read_at') > date_part('epoch', now()) - 60) is not true
    and current_setting('transaction_read_only') = 'off' then
    perform setval('shop.activity_v1_read_at', floor(date_part('epoch', now()))::bigint);
  end if;
  v_end := least(v_after + p_count, v_newest.last_offset);
  -- Looked at after the newest page: a contract that comes later has this before it has events, which are behind that page.
  v_has_newer := to_regclass('shop.activity_v2_read_at') is not null;

  while v_next <= v_end loop
    v_first := case when v_newest.first_offset between v_next - 127 and v_next then v_newest else shop.activity_page_of(v_next) end;
    if (v_first.last_offset >= v_next) is not true then
      perform shop.activity_check_offset(v_next - 1);
    end if;
    exit when v_first.sealed_by = v_hidden and not v_first.is_settled;

    v_last := v_first;
    if v_first.is_dense and v_first.last_offset < v_end then
      v_break := coalesce(
        (
          select p.first_offset
          from shop.activity_page as p
          where p.first_offset > v_first.first_offset
            and p.first_offset <= v_end
            and (not p.is_joined or p.sealed_by = v_hidden and not p.is_settled)
          order by p.first_offset
          limit 1
        ),
        v_end + 1
      );
      select p.*
      into v_last
      from shop.activity_page as p
      where p.first_offset < v_break
      order by p.first_offset desc, p.last_offset desc
      limit 1;
    end if;
    v_expected := least(v_last.last_offset, v_end) - v_next + 1;

    v_readable := v_expected;
    if v_has_newer then
      select e.quern_rank - 1, e.contract_version
      into v_readable, v_version
      from (
        select row_number() over () as quern_rank, e.contract_version = 1 as quern_is_readable, e.contract_version
        from (
          select *
          from shop.activity_event as e
          where e.segment = v_first.segment
            and (e.stamp, e.event_number) >= (v_first.first_stamp, v_first.first_number)
            and (e.stamp, e.event_number) <= (v_last.last_stamp, v_last.last_number)
            and (
              v_first.is_dense
              or (e.stamp >= v_first.lo_next or e.stamp = any (v_first.lo_running))
              and e.stamp < v_first.hi_next
              and e.stamp <> all (v_first.hi_running)
            )
          order by e.stamp, e.event_number
          offset v_next - v_first.first_offset
          limit v_expected
        ) as e
      ) as e
      where not e.quern_is_readable
      order by e.quern_rank
      limit 1;
      v_readable := coalesce(v_readable, v_expected);
    end if;

    return query
    select v_next - 1 + row_number() over (), e.published_at, e.customer_id, e.kind, e.detail
    from (
      select *
      from shop.activity_event as e
      where e.segment = v_first.segment
        and (e.stamp, e.event_number) >= (v_first.first_stamp, v_first.first_number)
        and (e.stamp, e.event_number) <= (v_last.last_stamp, v_last.last_number)
        and (
          v_first.is_dense
          or (e.stamp >= v_first.lo_next or e.stamp = any (v_first.lo_running))
          and e.stamp < v_first.hi_next
          and e.stamp <> all (v_first.hi_running)
        )
      order by e.stamp, e.event_number
      offset v_next - v_first.first_offset
      limit v_readable
    ) as e;
    get diagnostics v_count = row_count;
    v_next := v_next + v_count;
    continue when v_count = v_expected;

    if v_count < v_readable then
      raise exception using
        errcode = 'QN024',
        message = format('event %s of stream "activity" is not in its page', v_next);
    elsif v_next = v_after + 1 then
      raise exception using
        errcode = 'QN021',
        message = format('event %s of stream "activity" is of contract v%s, which contract v1 cannot read', v_next, v_version),
        hint = 'Read on with a newer release of this program.';
    end if;
    exit;
  end loop;

  if p_is_alone is null
    and to_timestamp(coalesce(pg_sequence_last_value('shop.activity_maintained_at'), 0)) < clock_timestamp() - interval '10 seconds'
    and shop.quern_is_own_call('activity_read|stream_consume') then
    perform shop.activity_maintain();
  end if;
end
$$;
comment on function shop.activity_read_v1 is 'Up to p_count events after the offset p_after, in their order; reads nothing but what is there, and remembers nothing. p_is_alone: whether this call is all of its transaction.';

create function shop.activity_read_json_v1(p_after bigint, p_count integer default 100)
returns table (event_offset bigint, published_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
begin atomic
  select
    r.event_offset,
    r.published_at,
    (select to_jsonb(payload.*) from (select r.customer_id, r.kind, r.detail) as payload)
  from shop.activity_read_v1(p_after, p_count) as r;
end;
comment on function shop.activity_read_json_v1 is 'As activity_read_v1, with the payload as one JSON object.';

-- Up to p_count events after p_after that the consumer's filter lets through, out of so many pages that it does not take long.
-- Unless there are p_count of them, a last row says how far was looked. What no filter lets through need not be readable.
create function shop.activity_look_v1(p_consumer text, p_after bigint, p_count integer, p_is_alone boolean)
returns table (
  event_offset bigint,
  quern_is_wanted boolean,
  quern_key bigint,
  published_at timestamptz,
  customer_id bigint,
  kind text,
  detail jsonb
)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_reach record;
  v_newest shop.activity_page;
  v_hidden xid8;
  v_page shop.activity_page;
  v_pages integer := 0;
  v_next bigint := p_after + 1;
  v_left bigint := p_count;
  v_expected bigint;
  v_seen bigint;
  v_wanted bigint;
  v_stop bigint;
  v_version smallint;
  v_count bigint;
begin
  if p_count is null or p_count < 1 then
    raise exception using
      errcode = 'QN005',
      message = 'the number of events to read must be at least 1';
  end if;
  v_reach := shop.activity_end_of_read(v_next, p_count, p_is_alone);
  v_newest := v_reach.newest_page;
  v_hidden := v_reach.hidden;
  if (pg_sequence_last_value('shop.activity_v1_read_at') > date_part('epoch', now()) - 60) is not true
    and current_setting('transaction_read_only') = 'off' then
    perform setval('shop.activity_v1_read_at', floor(date_part('epoch', now()))::bigint);
  end if;

  while v_pages < 100 and v_next <= least(v_newest.last_offset, p_after + 10000) loop
    v_pages := v_pages + 1;
    v_page := shop.activity_page_of(v_next);
    if (v_page.last_offset >= v_next) is not true then
      perform shop.activity_check_offset(v_next - 1);
    end if;
    exit when v_page.sealed_by = v_hidden and not v_page.is_settled;
    v_expected := v_page.last_offset - v_next + 1;

    select
      count(*),
      count(*) filter (where e.quern_is_wanted),
      min(e.quern_rank) filter (where e.quern_is_wanted and not e.quern_is_readable),
      (array_agg(e.contract_version order by e.quern_rank) filter (where e.quern_is_wanted and not e.quern_is_readable))[1]
    into v_seen, v_wanted, v_stop, v_version
    from (
      select row_number() over () as quern_rank, e.*
      from (
        select shop.activity_wants(p_consumer, e) as quern_is_wanted, e.contract_version = 1 as quern_is_readable, e.contract_version
        from shop.activity_event as e
        where e.segment = v_page.segment
          and (e.stamp, e.event_number) >= (v_page.first_stamp, v_page.first_number)
          and (e.stamp, e.event_number) <= (v_page.last_stamp, v_page.last_number)
          and (
            v_page.is_dense
            or (e.stamp >= v_page.lo_next or e.stamp = any (v_page.lo_running))
            and e.stamp < v_page.hi_next
            and e.stamp <> all (v_page.hi_running)
          )
        order by e.stamp, e.event_number
        offset v_next - v_page.first_offset
        limit v_expected
      ) as e
    ) as e;
    if v_seen <> v_expected then
      raise exception using
        errcode = 'QN024',
        message = format('event %s of stream "activity" is not in its page', v_next + v_seen);
    end if;

    if v_wanted > 0 then
      return query
      select v_next - 1 + e.quern_rank, true, e.quern_key, e.published_at, e.customer_id, e.kind, e.detail
      from (
        select row_number() over () as quern_rank, e.*
        from (
          select e.*, shop.activity_wants(p_consumer, e) as quern_is_wanted, shop.activity_key_of(p_consumer, e) as quern_key
          from shop.activity_event as e
          where e.segment = v_page.segment
            and (e.stamp, e.event_number) >= (v_page.first_stamp, v_page.first_number)
            and (e.stamp, e.event_number) <= (v_page.last_stamp, v_page.last_number)
            and (
              v_page.is_dense
              or (e.stamp >= v_page.lo_next or e.stamp = any (v_page.lo_running))
              and e.stamp < v_page.hi_next
              and e.stamp <> all (v_page.hi_running)
            )
          order by e.stamp, e.event_number
          offset v_next - v_page.first_offset
          limit coalesce(v_stop - 1, v_expected)
        ) as e
      ) as e
      where e.quern_is_wanted
      limit v_left;
      get diagnostics v_count = row_count;
      v_left := v_left - v_count;
      if v_left = 0 then
        return;
      end if;
    end if;
    if v_stop is not null then
      v_next := v_next + v_stop - 1;
      exit;
    end if;
    v_next := v_page.last_offset + 1;
  end loop;

  if v_stop is not null and v_next = p_after + 1 then
    raise exception using
      errcode = 'QN021',
      message = format('event %s of stream "activity" is of contract v%s, which contract v1 cannot read', v_next, v_version),
      hint = 'Read on with a newer release of this program.';
  end if;
  if v_next > p_after + 1 then
    event_offset := v_next - 1;
    quern_is_wanted := false;
    return next;
  end if;
end
$$;

-- The events after the consumer's newest position, whose number is the batch: until that is followed by another one, the same
-- events come again. A consumer with a filter that gets none has moved on over those that it does not want.
create function shop.activity_receive_v1(p_consumer text, p_count integer default 100, p_is_alone boolean default null)
returns table (
  event_offset bigint,
  batch bigint,
  published_at timestamptz,
  customer_id bigint,
  kind text,
  detail jsonb
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_position constant shop.activity_position := shop.activity_position_of(p_consumer);
begin
  if shop.activity_has_filter(p_consumer) then
    return query
    with looked as materialized (
      select l.*
      from shop.activity_look_v1(p_consumer, v_position.up_to, p_count, p_is_alone) as l
    ), moved as (
      -- Where nothing is wanted nothing can be acknowledged.
      insert into shop.activity_position (consumer, previous_id, up_to)
      select p_consumer, v_position.position_id, max(l.event_offset)
      from looked as l
      having not bool_or(l.quern_is_wanted)
      on conflict on constraint activity_position_follows do nothing
    )
    select l.event_offset, v_position.position_id, l.published_at, l.customer_id, l.kind, l.detail
    from looked as l
    where l.quern_is_wanted;
  else
    return query
    select r.event_offset, v_position.position_id, r.published_at, r.customer_id, r.kind, r.detail
    from shop.activity_read_v1(v_position.up_to, p_count, p_is_alone) as r;
  end if;

  if p_is_alone is null
    and to_timestamp(coalesce(pg_sequence_last_value('shop.activity_maintained_at'), 0)) < clock_timestamp() - interval '10 seconds'
    and shop.quern_is_own_call('activity_receive') then
    perform shop.activity_maintain();
  end if;
end
$$;
comment on function shop.activity_receive_v1 is 'The next events of a consumer: acknowledge them with activity_ack, their batch and the offset of the last one that is done. p_is_alone: whether this call is all of its transaction.';

create function shop.activity_receive_json_v1(p_consumer text, p_count integer default 100)
returns table (event_offset bigint, batch bigint, published_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
begin atomic
  select
    r.event_offset,
    r.batch,
    r.published_at,
    (select to_jsonb(payload.*) from (select r.customer_id, r.kind, r.detail) as payload)
  from shop.activity_receive_v1(p_consumer, p_count) as r;
end;
comment on function shop.activity_receive_json_v1 is 'As activity_receive_v1, with the payload as one JSON object.';

-- What nobody works on any more comes first: one such claim ends and another begins in this transaction. Then come events that
-- have failed before and are due, then those that nobody has claimed. Whoever claims for a consumer waits for the others who
-- do, half a second at most; looks at everything in statements that begin after that; and holds its lock until commit. That need
-- not be flushed, when there is nothing else in the transaction: no session lives on after a crash, and what was acknowledged
-- had its claim flushed before.
create function shop.activity_claim_v1(
  p_consumer text, p_count integer default 100, p_lease interval default null, p_is_alone boolean default null
) returns table (
  event_offset bigint,
  batch bigint,
  attempt integer,
  published_at timestamptz,
  lease_until timestamptz,
  customer_id bigint,
  kind text,
  detail jsonb
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  v_session constant bigint := coalesce(case when current_setting('quern.session', true) !~ '^-?[0-9]+$' then null when abs(current_setting('quern.session', true)::numeric) < 9223372036854775808 then current_setting('quern.session', true)::bigint end, 0);
  v_now timestamptz;
  v_lease_until timestamptz;
  v_max_attempts integer;
  v_up_to bigint;
  v_open bigint[];
  v_free bigint[];
  v_id bigint;
  v_old shop.activity_claim;
  v_rest bigint[];
  v_count integer;
  v_is_ordered constant boolean := shop.activity_ordered_by(p_consumer) is not null;
  v_busy bigint[];
  v_due bigint[];
  v_segment smallint;
  v_stamp xid8;
  v_number bigint;
  v_left bigint;
  v_home bigint;
  v_goes_on boolean;
begin
  if p_count is null or p_count < 1 then
    raise exception using
      errcode = 'QN005',
      message = 'the number of events to claim must be at least 1';
  end if;
  if p_lease <= interval '0' or p_lease > interval '100000 years' or now() + p_lease <= now() then
    raise exception using
      errcode = 'QN005',
      message = 'a lease must be longer than nothing, and 100000 years at most';
  end if;
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'events can be claimed in a READ COMMITTED transaction only',
      hint = 'Claim in a transaction of its own, or begin this one with READ COMMITTED: see default_transaction_isolation.';
  end if;
  if p_is_alone then
    perform set_config('synchronous_commit', 'off', true);
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254))
    and not shop.activity_wait_for_consumer(p_consumer) then
    return;
  end if;

  v_now := clock_timestamp();
  select
    v_now + coalesce(p_lease, c.lease),
    c.max_attempts,
    n.up_to,
    h.open,
    h.free,
    n.cursor_segment,
    n.cursor_stamp,
    n.cursor_number,
    n.cursor_left,
    n.cursor_home,
    n.cursor_left >= p_count and n.cursor_home = shop.activity_home()
      and pg_sequence_last_value('shop.activity_v1_read_at') > date_part('epoch', now()) - 60
      and not exists (select from shop.activity_failed as f where f.consumer = p_consumer and f.dead_at is null)
      and to_regclass('shop.activity_v2_read_at') is null
  into v_lease_until, v_max_attempts, v_up_to, v_open, v_free, v_segment, v_stamp, v_number, v_left, v_home, v_goes_on
  from shop.activity_consumer as c
  cross join lateral (
    select s.*
    from shop.activity_claim as s
    where s.consumer = p_consumer
      and s.step = 0
    order by s.claim_id desc
    limit 1
  ) as n
  cross join lateral (
    select
      coalesce(array_agg(o.claim_id), '{}') as open,
      array_agg(o.claim_id order by o.next_offset) filter (
        where o.lease_until <= v_now or o.session_key <> v_session and pg_try_advisory_xact_lock_shared(o.session_key)
      ) as free
    from unnest(n.open_claims) as i (claim_id)
    cross join lateral (
      select s.*
      from shop.activity_claim as s
      where s.consumer = p_consumer
        and s.claim_id = i.claim_id
      order by s.step desc
      limit 1
    ) as o
    where o.is_open
  ) as h
  where c.consumer = p_consumer
    and c.is_cooperative;
  if not found then
    perform shop.activity_check_consumer(p_consumer, true);
  end if;

  foreach v_id in array coalesce(v_free, '{}') loop
    -- Whoever ends it this very moment is left to do so.
    continue when not pg_try_advisory_xact_lock(hashint8extended(v_id, -6277507035114536254));
    v_old := shop.activity_lock_claim(p_consumer, v_id);
    continue when not v_old.is_open
      or v_old.lease_until > v_now and not (v_old.session_key <> v_session and pg_try_advisory_xact_lock_shared(v_old.session_key));
    if v_is_ordered then
      perform shop.activity_dissolve(v_old, v_max_attempts);
      v_open := array_remove(v_open, v_id);
      continue;
    elsif v_old.attempt >= v_max_attempts then
      perform shop.activity_bury(v_old);
      v_open := array_remove(v_open, v_id);
      continue;
    end if;

    v_rest := (shop.activity_left_of(v_old))[:p_count];
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    begin
      return query
      select r.event_offset, v_id, v_old.attempt + 1, r.published_at, v_lease_until, r.customer_id, r.kind, r.detail
      from shop.activity_read_v1(v_rest[1] - 1, (v_rest[cardinality(v_rest)] - v_rest[1] + 1)::integer, p_is_alone) as r
      where r.event_offset <> all (v_old.failed)
        and (v_old.picked is null or r.event_offset = any (v_rest));
      get diagnostics v_count = row_count;
    exception
      when sqlstate 'QN021' then
        -- Its first event is for workers of a newer contract.
        v_count := 0;
    end;
    continue when v_count = 0;
    perform shop.activity_take_over(v_old, v_id, v_rest[v_count], v_lease_until, nullif(v_session, 0), v_up_to, v_open);
    return;
  end loop;

  -- The page of the last claim has as many more, and nothing else comes first: no page needs to be looked for.
  if v_goes_on and not v_is_ordered and not shop.activity_has_filter(p_consumer) and cardinality(v_open) < 1000 then
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    return query
    with mine as (
      select v_up_to + row_number() over () as quern_offset, m.*
      from (
        select *
        from shop.activity_event as e
        where e.segment = v_segment
          and (e.stamp, e.event_number) > (v_stamp, v_number)
        order by e.stamp, e.event_number
        limit p_count
      ) as m
    ), claimed as (
      insert into shop.activity_claim (
        consumer, claim_id, next_offset, last_offset, attempt, lease_until, session_key, up_to, open_claims,
        cursor_segment, cursor_stamp, cursor_number, cursor_left, cursor_home
      )
      select
        p_consumer, v_id, v_up_to + 1, m.quern_offset, 1, v_lease_until, nullif(v_session, 0), m.quern_offset, v_open || v_id,
        m.segment, m.stamp, m.event_number, v_left - p_count, v_home
      from mine as m
      where m.quern_offset = v_up_to + p_count
    )
    select e.quern_offset, v_id, 1, e.published_at, v_lease_until, e.customer_id, e.kind, e.detail
    from mine as e;
    get diagnostics v_count = row_count;
    if v_count < p_count then
      raise exception using
        errcode = 'QN024',
        message = format('event %s of stream "activity" is not in its page', v_up_to + v_count + 1);
    end if;
    return;
  end if;

  if v_is_ordered then
    v_busy := shop.activity_busy_keys(p_consumer);
    -- Claims from before it was ordered so have to end first.
    if v_busy is null then
      return;
    end if;
  end if;

  if exists (select from shop.activity_failed as f where f.consumer = p_consumer and f.dead_at is null) then
    perform shop.activity_free_failed(p_consumer, v_session, v_max_attempts);
    v_now := clock_timestamp();
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    if v_is_ordered then
      -- Of each key the first, and behind it those that may come.
      v_due := array(
        select t.event_offset
        from (
          select e.order_key, e.due_at, e.event_offset
          from shop.activity_failed as e
          where e.consumer = p_consumer
            and e.dead_at is null
            and e.claim_id is null
            and e.due_at <= v_now
            and e.contract_version = 1
            and (e.order_key is null or e.order_key <> all (v_busy) and shop.activity_is_first(e))
          order by e.due_at, e.event_offset
          limit p_count
        ) as h
        cross join lateral (
          select h.event_offset
          union all
          select n.event_offset
          from (
            select
              e.event_offset,
              bool_and(e.dead_at is null and (e.due_at <= v_now or e.due_at = 'infinity') and e.contract_version = 1)
                over (order by e.event_offset) as is_next
            from (
              select *
              from shop.activity_failed as e
              where e.consumer = p_consumer
                and e.order_key = h.order_key
                and e.event_offset > h.event_offset
                and (e.dead_at is null or e.is_blocking)
              order by e.event_offset
              limit p_count
            ) as e
          ) as n
          where n.is_next
        ) as t
        order by h.due_at, h.event_offset, t.event_offset
        limit p_count
      );
    else
      v_due := array(
        select e.event_offset
        from shop.activity_failed as e
        where e.consumer = p_consumer
          and e.dead_at is null
          and e.claim_id is null
          and e.due_at <= v_now
          and e.contract_version = 1
        order by e.due_at, e.event_offset
        limit p_count
        for update skip locked
      );
    end if;
    return query
    with claimed as (
      update shop.activity_failed as f
      set claim_id = v_id,
        session_key = nullif(v_session, 0),
        attempt = f.attempt + 1,
        due_at = v_lease_until
      where f.consumer = p_consumer
        and f.event_offset = any (v_due)
      returning f.*
    )
    select e.event_offset, v_id, e.attempt, e.published_at, v_lease_until, e.customer_id, e.kind, e.detail
    from claimed as e
    order by e.event_offset;
    if found then
      if v_is_ordered then
        perform shop.activity_promote(p_consumer, array(
          select f.order_key
          from shop.activity_failed as f
          where f.consumer = p_consumer
            and f.claim_id = v_id
            and f.order_key is not null
        ));
      end if;
      return;
    end if;
  end if;

  -- Nobody works on so many at once: somebody claims and does not acknowledge.
  if cardinality(v_open) < 1000 and v_is_ordered then
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    return query
    with looked as materialized (
      select l.*
      from shop.activity_look_v1(p_consumer, v_up_to, p_count, p_is_alone) as l
    ), sorted as materialized (
      select s.*
      from (
        select
          coalesce(array_agg(l.event_offset order by l.event_offset) filter (where l.quern_is_wanted), '{}') as places,
          coalesce(array_agg(l.quern_key order by l.event_offset) filter (where l.quern_is_wanted), '{}') as keys,
          max(l.event_offset) as last_place
        from looked as l
        having count(*) > 0
      ) as a
      cross join lateral shop.activity_sort_out(p_consumer, a.places, a.keys, v_busy, a.last_place) as s
    ), mine as materialized (
      select l.*
      from looked as l
      cross join sorted as s
      where l.quern_is_wanted
        and l.event_offset <= s.up_to
        and l.event_offset <> all (s.held)
    ), claimed as (
      insert into shop.activity_claim (
        consumer, claim_id, next_offset, last_offset, picked, keys, ordered_by, attempt, is_open, lease_until, session_key, up_to, open_claims
      )
      select
        p_consumer,
        v_id,
        coalesce(m.first_place, s.up_to + 1),
        coalesce(m.last_place, s.up_to),
        m.places,
        m.keys,
        shop.activity_ordered_by(p_consumer),
        1,
        m.places is not null,
        v_lease_until,
        nullif(v_session, 0),
        s.up_to,
        case when m.places is not null then v_open || v_id else v_open end
      from sorted as s
      cross join (
        select
          min(l.event_offset) as first_place,
          max(l.event_offset) as last_place,
          array_agg(l.event_offset order by l.event_offset) as places,
          array_agg(l.quern_key order by l.event_offset) as keys
        from mine as l
      ) as m
      where s.up_to > v_up_to
    )
    select l.event_offset, v_id, 1, l.published_at, v_lease_until, l.customer_id, l.kind, l.detail
    from mine as l
    order by l.event_offset;
  elsif cardinality(v_open) < 1000 and shop.activity_has_filter(p_consumer) then
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    return query
    with looked as materialized (
      select l.*
      from shop.activity_look_v1(p_consumer, v_up_to, p_count, p_is_alone) as l
    ), claimed as (
      -- One of nothing has ended: it only says how far was looked.
      insert into shop.activity_claim (
        consumer, claim_id, next_offset, last_offset, picked, attempt, is_open, lease_until, session_key, up_to, open_claims
      )
      select
        p_consumer,
        v_id,
        coalesce(min(l.event_offset) filter (where l.quern_is_wanted), max(l.event_offset) + 1),
        coalesce(max(l.event_offset) filter (where l.quern_is_wanted), max(l.event_offset)),
        array_agg(l.event_offset order by l.event_offset) filter (where l.quern_is_wanted),
        1,
        bool_or(l.quern_is_wanted),
        v_lease_until,
        nullif(v_session, 0),
        max(l.event_offset),
        case when bool_or(l.quern_is_wanted) then v_open || v_id else v_open end
      from looked as l
      having count(*) > 0
    )
    select l.event_offset, v_id, 1, l.published_at, v_lease_until, l.customer_id, l.kind, l.detail
    from looked as l
    where l.quern_is_wanted;
  elsif cardinality(v_open) < 1000 then
    v_id := nextval('shop.activity_claim_id') + floor(random() * 1048576)::bigint;
    return query
    select r.event_offset, v_id, 1, r.published_at, v_lease_until, r.customer_id, r.kind, r.detail
    from shop.activity_read_v1(v_up_to, p_count, p_is_alone) as r;
    get diagnostics v_count = row_count;
    if v_count > 0 then
      insert into shop.activity_claim (
        consumer, claim_id, next_offset, last_offset, attempt, lease_until, session_key, up_to, open_claims,
        cursor_segment, cursor_stamp, cursor_number, cursor_left, cursor_home
      )
      select
        p_consumer, v_id, v_up_to + 1, v_up_to + v_count, 1, v_lease_until, nullif(v_session, 0), v_up_to + v_count, v_open || v_id, c.*
      from shop.activity_cursor_at(v_up_to + v_count) as c;
    end if;
  end if;

  if p_is_alone is null
    and to_timestamp(coalesce(pg_sequence_last_value('shop.activity_maintained_at'), 0)) < clock_timestamp() - interval '10 seconds'
    and shop.quern_is_own_call('activity_claim') then
    perform shop.activity_maintain();
  end if;
end
$$;
comment on function shop.activity_claim_v1 is 'Up to p_count events that no other worker of a cooperative consumer has, for p_lease (default: the consumer''s): acknowledge them with activity_ack, their batch and the offset of the last one that is done. p_is_alone: whether this call is all of its transaction, of which nothing else then waits for a flush.';

create function shop.activity_claim_json_v1(p_consumer text, p_count integer default 100, p_lease interval default null)
returns table (event_offset bigint, batch bigint, attempt integer, published_at timestamptz, lease_until timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
begin atomic
  select
    r.event_offset,
    r.batch,
    r.attempt,
    r.published_at,
    r.lease_until,
    (select to_jsonb(payload.*) from (select r.customer_id, r.kind, r.detail) as payload)
  from shop.activity_claim_v1(p_consumer, p_count, p_lease) as r;
end;
comment on function shop.activity_claim_json_v1 is 'As activity_claim_v1, with the payload as one JSON object.';

create function shop.activity_next_due_v1(p_consumer text)
returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_busy constant bigint[] := case when shop.activity_ordered_by(p_consumer) is not null then shop.activity_busy_keys(p_consumer) end;
begin
  return least(
    (
      -- Those that wait for others are not looked at: there may be thousands of them.
      select e.due_at
      from shop.activity_failed as e
      where e.consumer = p_consumer
        and e.dead_at is null
        and e.due_at < 'infinity'
        and e.contract_version = 1
        and (
          e.order_key is null
          or e.claim_id is not null
          or e.order_key <> all (v_busy)
          and shop.activity_is_first(e)
        )
      order by e.due_at
      limit 1
    ),
    (
      select min(o.lease_until)
      from shop.activity_open_claims(p_consumer) as o
      where o.lease_until > clock_timestamp()
    ),
    case when shop.activity_looked_up_to(p_consumer) is not null then clock_timestamp() end
  );
end
$$;
comment on function shop.activity_next_due_v1 is 'When a failed event is due that workers of contract v1 can read, a claim runs out, or there is more to look at for a filter; null when there is nothing of it.';

revoke all on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1, shop.activity_look_v1
from public;
grant execute on function
  shop.activity_read_v1, shop.activity_read_json_v1, shop.activity_receive_v1, shop.activity_receive_json_v1,
  shop.activity_claim_v1, shop.activity_claim_json_v1, shop.activity_next_due_v1
to mailer;
grant select on sequence shop.activity_v1_read_at to ops;

create function shop.activity_wake_v1()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform setval('shop.activity_v1_produced_at', floor(date_part('epoch', now()))::bigint);
  perform shop.activity_wake();
end
$$;
comment on function shop.activity_wake_v1() is 'As activity_wake, by a producer of contract v1; called after COPY.';

-- Without a search path of its own, which would cost a tenth of the call: every name is qualified.
create function shop.activity_publish_v1(
  p_customer_id bigint,
  p_kind text,
  p_detail jsonb default null
) returns void
language plpgsql security definer
as $$
declare
  v_is_unlocked boolean;
begin
  insert into shop.activity_event (contract_version, customer_id, kind, detail)
  values (1, p_customer_id, p_kind, p_detail);

  -- When a producer last used this contract, to the minute.
  if (pg_catalog.pg_sequence_last_value('shop.activity_v1_produced_at') operator(pg_catalog.>) (pg_catalog.date_part('epoch', pg_catalog.now()) operator(pg_catalog.-) 60)) is not true then
    perform pg_catalog.setval('shop.activity_v1_produced_at', pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.now()))::bigint);
  end if;

  -- As in activity_wake, written out because a call would cost more than all of it.
  if pg_catalog.pg_try_advisory_lock(-6277507035114536254) then
    v_is_unlocked := pg_catalog.pg_advisory_unlock(-6277507035114536254);
  else
    perform pg_catalog.pg_notify('shop.activity', '');
  end if;
end
$$;
comment on function shop.activity_publish_v1 is 'Publishes an event. It gets its offset after its transaction has committed.';

-- One array a field, all of the same length; an array field takes text, each element an array in its text form.
create function shop.activity_publish_many_v1(
  p_customer_id bigint[],
  p_kind text[],
  p_detail jsonb[] default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
begin
  if greatest(cardinality(p_customer_id), cardinality(p_kind), cardinality(p_detail))
    is distinct from least(cardinality(p_customer_id), cardinality(p_kind), cardinality(p_detail)) then
    raise exception using
      errcode = 'QN005',
      message = 'the arrays of activity_publish_many_v1 differ in length';
  end if;

  insert into shop.activity_event (contract_version, customer_id, kind, detail)
  select 1, t.customer_id, t.kind, t.detail
  from unnest(p_customer_id, p_kind, p_detail) with ordinality as t(customer_id, kind, detail, quern_rank)
  order by t.quern_rank;
  get diagnostics v_count = row_count;

  perform shop.activity_wake_v1();
  return v_count;
end
$$;
comment on function shop.activity_publish_many_v1 is 'Publishes an event for each place of the arrays, in that order, and returns how many.';

create function shop.activity_publish_json_v1(p_payload jsonb)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
begin
  perform shop.quern_check_payload('activity', p_payload, '{"customer_id": "number", "kind": "string", "detail": "any?"}');
  perform shop.activity_publish_v1(
    p_customer_id => (p_payload ->> 'customer_id')::bigint,
    p_kind => p_payload ->> 'kind',
    p_detail => nullif(p_payload -> 'detail', 'null')
  );
end
$$;
comment on function shop.activity_publish_json_v1 is 'Publishes a JSON object, which is checked against the contract.';

revoke all on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
from public;
grant execute on function
  shop.activity_wake_v1, shop.activity_publish_v1, shop.activity_publish_many_v1, shop.activity_publish_json_v1
to web;
grant insert (contract_version, customer_id, kind, detail) on shop.activity_event to web;
grant select on sequence shop.activity_v1_produced_at to ops;

-- The newest position of a consumer, which must be there and not be cooperative.
create function shop.activity_position_of(p_consumer text)
returns shop.activity_position
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_position shop.activity_position;
begin
  select p.*
  into v_position
  from shop.activity_consumer as c
  join shop.activity_position as p on p.consumer = c.consumer
  where c.consumer = p_consumer
    and not c.is_cooperative
  order by p.position_id desc
  limit 1;
  if not found then
    perform shop.activity_check_consumer(p_consumer, false);
  end if;
  return v_position;
end
$$;

-- A stale or repeated acknowledgement changes nothing: another position has followed the one that the batch was read from.
-- Of two at once the second waits for the first, and then finds its place taken. The settings of its callers hold.
create function shop.activity_move_on(p_consumer text, p_batch bigint, p_offset bigint)
returns bigint
language plpgsql
as $$
declare
  v_newest constant shop.activity_page := shop.activity_newest_page();
  v_position constant shop.activity_position := shop.activity_position_of(p_consumer);
begin
  if p_offset is null then
    raise exception using
      errcode = 'QN005',
      message = format('consumer "%s" of stream "activity" acknowledges up to an offset', p_consumer),
      hint = 'Give the offset of the last event that is done: only claims of cooperative consumers have an end of their own.';
  end if;
  if p_offset > v_newest.last_offset then
    raise exception using
      errcode = 'QN005',
      message = format('stream "activity" has no event %s that could be acknowledged', p_offset),
      detail = format('Its last event has the offset %s.', v_newest.last_offset);
  end if;
  if v_position.position_id is distinct from p_batch or (p_offset > v_position.up_to) is not true then
    return 0;
  end if;
  insert into shop.activity_position (consumer, previous_id, up_to)
  values (p_consumer, p_batch, p_offset)
  on conflict (consumer, previous_id) do nothing;
  return case when found then p_offset - v_position.up_to else 0 end;
end
$$;

create function shop.activity_subscribe(p_consumer text, p_from text default 'end', p_after bigint default null, p_at timestamptz default null, p_is_cooperative boolean default false)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_page shop.activity_page;
  v_after bigint;
begin
  if p_consumer is null or p_consumer = '' or length(p_consumer) > 200 then
    raise exception using
      errcode = 'QN005',
      message = 'a consumer needs a name of 1 to 200 characters';
  end if;
  if num_nonnulls(p_after, p_at) > 1 or p_from not in ('start', 'end') then
    raise exception using
      errcode = 'QN005',
      message = 'a consumer begins at the start, at the end, after an offset or at a time',
      hint = 'Give p_from => ''start'' or ''end'', or p_after, or p_at.';
  end if;
  v_page := shop.activity_newest_page();

  insert into shop.activity_consumer (consumer)
  values (p_consumer)
  on conflict (consumer) do nothing;
  if not found then
    return null;
  end if;

  if p_after is not null then
    v_after := p_after;
  elsif p_at is not null then
    v_after := shop.activity_offset_at(p_at);
  elsif p_from = 'start' then
    v_after := shop.activity_first_offset() - 1;
  else
    -- What is committed by now is not for this consumer. Waits for whoever seals, who may not have seen all of it.
    perform pg_advisory_xact_lock(-6277507035114536254 + 1);
    perform shop.activity_seal();
    v_page := shop.activity_newest_page();
    v_after := v_page.last_offset;
  end if;
  perform shop.activity_check_offset(v_after);

  insert into shop.activity_position (consumer, previous_id, up_to)
  values (p_consumer, 0, v_after);
  if p_is_cooperative then
    perform shop.activity_share(p_consumer);
  end if;
  return v_after;
end
$$;
comment on function shop.activity_subscribe is 'Makes a consumer and returns the offset after which it reads; null when it was there already. ''start'' is the oldest event that is kept.';

create function shop.activity_unsubscribe(p_consumer text)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'a consumer can be forgotten in a READ COMMITTED transaction only';
  end if;
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  -- Whoever ends one of its claims comes first: what that leaves behind would be found by a consumer of the same name.
  perform shop.activity_lock_claim(p_consumer, o.claim_id)
  from (
    select c.claim_id
    from shop.activity_open_claims(p_consumer) as c
    order by c.claim_id
  ) as o;
  delete from shop.activity_position as p
  where p.consumer = p_consumer;
  delete from shop.activity_claim as c
  where c.consumer = p_consumer;
  delete from shop.activity_failed as f
  where f.consumer = p_consumer;
  delete from shop.activity_consumer as c
  where c.consumer = p_consumer;
  return found;
end
$$;
comment on function shop.activity_unsubscribe is 'Forgets a consumer, and what it holds: events are not kept for it any more. False when there was none of that name.';

create function shop.activity_ack(p_consumer text, p_batch bigint, p_offset bigint default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  if exists (select from shop.activity_consumer as c where c.consumer = p_consumer and c.is_cooperative) then
    return shop.activity_finish(p_consumer, p_batch, p_offset);
  end if;
  return shop.activity_move_on(p_consumer, p_batch, p_offset);
end
$$;
comment on function shop.activity_ack is 'Events up to p_offset are done; returns how many, 0 when the batch is not the consumer''s any more. What is behind p_offset is received again, or still claimed; without p_offset all of a claim is done, which only cooperative consumers have.';

create function shop.activity_redrive_all(p_consumer text, p_count integer default null, p_offset bigint default null)
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
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'dead letters can be redriven in a READ COMMITTED transaction only';
  end if;
  perform shop.activity_check_consumer(p_consumer, true);
  update shop.activity_failed as f
  set dead_at = null,
    is_blocking = false,
    attempt = 0,
    due_at = clock_timestamp()
  where f.consumer = p_consumer
    and f.event_offset = any (array(
      select d.event_offset
      from shop.activity_failed as d
      where d.consumer = p_consumer
        and d.dead_at is not null
        and (p_offset is null or d.event_offset = p_offset)
      order by d.event_offset
      limit p_count
      for update skip locked
    ));
  get diagnostics v_count = row_count;
  perform shop.activity_wake();
  return v_count;
end
$$;
comment on function shop.activity_redrive_all is 'Gives dead letters of a cooperative consumer, the oldest first, all their attempts again and returns how many.';

create function shop.activity_redrive(p_consumer text, p_offset bigint)
returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select case when p_offset is null then false else shop.activity_redrive_all(p_consumer, 1, p_offset) = 1 end;
end;
comment on function shop.activity_redrive is 'Gives a dead letter all its attempts again; false when there is no such dead letter.';

create function shop.activity_purge(p_consumer text, p_older_than interval default interval '0', p_offset bigint default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_count bigint;
  v_keys bigint[];
begin
  if p_older_than < interval '0' or p_older_than > interval '100000 years' then
    raise exception using
      errcode = 'QN005',
      message = 'an age must be from nothing to 100000 years';
  end if;
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'dead letters can be purged in a READ COMMITTED transaction only';
  end if;
  if shop.activity_ordered_by(p_consumer) is not null then
    -- Whoever claims may be setting events aside behind one of them.
    perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  end if;
  with gone as (
    delete from shop.activity_failed as f
    where f.consumer = p_consumer
      and f.dead_at <= clock_timestamp() - p_older_than
      and (p_offset is null or f.event_offset = p_offset)
    returning f.order_key
  )
  select count(*), array_agg(g.order_key) filter (where g.order_key is not null)
  into v_count, v_keys
  from gone as g;
  if v_keys is not null then
    perform shop.activity_promote(p_consumer, v_keys);
    perform shop.activity_wake_waiting(p_consumer, v_keys);
  end if;
  return v_count;
end
$$;
comment on function shop.activity_purge is 'Deletes the dead letters of a consumer that died longer ago than p_older_than, or the one of them that is at p_offset, and returns how many.';

create function shop.activity_peek_failed(
  p_consumer text, p_states text[] default '{ready, delayed}', p_count integer default 20, p_offsets bigint[] default null
) returns table (
  event_offset bigint,
  state text,
  attempt integer,
  published_at timestamptz,
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
      message = 'a number of events cannot be negative';
  end if;
  return query
  select
    f.event_offset,
    s.state,
    f.attempt,
    f.published_at,
    coalesce(f.dead_at, f.due_at),
    f.contract_version,
    f.last_error,
    (select to_jsonb(c.*) from (select f.customer_id, f.kind, f.detail) as c)
  from shop.activity_failed as f
  cross join lateral (
    select
      case
        when f.dead_at is not null then 'dead'
        when f.claim_id is not null then 'leased'
        when f.due_at > clock_timestamp() then 'delayed'
        else 'ready'
      end
  ) as s (state)
  where f.consumer = p_consumer
    and (p_offsets is null or f.event_offset = any (p_offsets))
    and s.state = any (p_states)
  order by f.event_offset
  limit p_count;
end
$$;
comment on function shop.activity_peek_failed is 'Events that failed at a consumer, or wait for others of their key, in these states (ready, delayed, leased, dead), or of these those at p_offsets; claims nothing.';

create function shop.activity_seek(p_consumer text, p_after bigint default null, p_at timestamptz default null)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_after bigint;
  v_id bigint;
  v_claim shop.activity_claim;
begin
  if num_nonnulls(p_after, p_at) <> 1 then
    raise exception using
      errcode = 'QN005',
      message = 'a consumer is moved to an offset or to a time',
      hint = 'Give p_after or p_at.';
  end if;
  v_after := coalesce(p_after, shop.activity_offset_at(p_at));
  perform shop.activity_check_offset(v_after);
  perform pg_advisory_xact_lock(hashtextextended(p_consumer, -6277507035114536254));
  if not exists (select from shop.activity_consumer as c where c.consumer = p_consumer and c.is_cooperative) then
    perform shop.activity_check_consumer(p_consumer, false);
    return shop.activity_move_position(p_consumer, v_after);
  end if;
  foreach v_id in array array(select o.claim_id from shop.activity_open_claims(p_consumer) as o order by o.claim_id) loop
    v_claim := shop.activity_lock_claim(p_consumer, v_id);
    if v_claim.is_open then
      perform shop.activity_end_claim(v_claim);
    end if;
  end loop;
  delete from shop.activity_failed as f
  where f.consumer = p_consumer
    and f.dead_at is null;
  -- What comes again is not waited for.
  update shop.activity_failed as f
  set is_blocking = false
  where f.consumer = p_consumer
    and f.is_blocking
    and f.event_offset > v_after;
  perform shop.activity_begin_claims(p_consumer, v_after);
  return v_after;
end
$$;
comment on function shop.activity_seek is 'Moves a consumer: it goes on after p_after, or with what was published at p_at. What it holds is stale, what waits for another attempt is forgotten.';

-- Whether nobody needs a segment any more: it is not that of the newest page, and nothing in it has no offset yet, was not
-- acknowledged by a consumer, or is within the retention.
create function shop.activity_is_done_with(p_segment smallint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = on
set jit = off
as $$
declare
  v_newest constant shop.activity_page := shop.activity_newest_page();
  v_last shop.activity_page;
begin
  select p.*
  into v_last
  from shop.activity_page as p
  where p.segment = p_segment
  order by p.first_offset desc, p.last_offset desc
  limit 1;
  return found
    and v_last.sealed_at < clock_timestamp() - interval '720 hours'
    and v_newest.segment <> p_segment
    and not exists (
      select
      from shop.activity_consumer as c
      where (shop.activity_done_up_to(c.consumer) >= v_last.last_offset) is not true
    )
    and not exists (
      select
      from shop.activity_event as e
      where e.segment = p_segment
        and v_last.home = v_newest.home
        and (e.stamp >= v_newest.hi_next or e.stamp = any (v_newest.hi_running))
    );
end
$$;

-- Under the lock all is looked at again: whoever has published into the segment and not committed holds a lock on it, and so
-- does who subscribes or moves to an offset.
create function shop.activity_truncate(p_segment smallint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '20ms'
as $$
begin
  if not shop.activity_is_done_with(p_segment) then
    return false;
  end if;
  case p_segment
    when 0 then
      lock table shop.activity_event_0, shop.activity_page_0 in access exclusive mode;
    when 1 then
      lock table shop.activity_event_1, shop.activity_page_1 in access exclusive mode;
    when 2 then
      lock table shop.activity_event_2, shop.activity_page_2 in access exclusive mode;
    when 3 then
      lock table shop.activity_event_3, shop.activity_page_3 in access exclusive mode;
    when 4 then
      lock table shop.activity_event_4, shop.activity_page_4 in access exclusive mode;
  end case;
  if not shop.activity_is_done_with(p_segment) then
    return false;
  end if;
  case p_segment
    when 0 then
      truncate shop.activity_event_0, shop.activity_page_0;
    when 1 then
      truncate shop.activity_event_1, shop.activity_page_1;
    when 2 then
      truncate shop.activity_event_2, shop.activity_page_2;
    when 3 then
      truncate shop.activity_event_3, shop.activity_page_3;
    when 4 then
      truncate shop.activity_event_4, shop.activity_page_4;
  end case;
  return true;
exception
  when lock_not_available then
    return false;
end
$$;

-- Goes on to the next segment when the present one was filled for long enough, and the next two are empty: one of them stays
-- so, for activity_restored. The segment is a hint: who has read it before may publish to the old one still, even when that
-- was emptied since. It is an event like any other.
create function shop.activity_rotate(p_after interval default interval '360 hours')
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last shop.activity_page;
  v_segment bigint;
begin
  if to_timestamp(pg_sequence_last_value('shop.activity_rotated_at')) > clock_timestamp() - p_after
    or not pg_try_advisory_xact_lock(-6277507035114536254 + 1) then
    return false;
  end if;
  v_segment := pg_sequence_last_value('shop.activity_segment');
  if not exists (select from shop.activity_page as p where p.segment = v_segment and p.first_offset <= p.last_offset)
    or exists (select from shop.activity_page as p where p.segment in ((v_segment + 1) % 5, (v_segment + 2) % 5)) then
    return false;
  end if;

  v_segment := (v_segment + 1) % 5;
  v_last := shop.activity_newest_page();
  v_last.segment := v_segment;
  v_last.foreign_segments := array_remove(v_last.foreign_segments, v_segment::smallint);
  v_last.first_offset := v_last.last_offset + 1;
  v_last.mark_stamps := '{}';
  v_last.mark_numbers := '{}';
  v_last.is_dense := false;
  v_last.is_joined := false;
  v_last.is_settled := v_last.is_settled or v_last.sealed_by <> pg_current_xact_id();
  v_last.sealed_by := pg_current_xact_id();
  v_last.sealed_at := greatest(clock_timestamp(), v_last.sealed_at);
  insert into shop.activity_page
  select v_last.*;
  perform setval('shop.activity_segment', v_segment);
  perform setval('shop.activity_rotated_at', floor(extract(epoch from clock_timestamp()))::bigint);
  return true;
end
$$;

-- Leaves the newest position of each consumer and its open claims, when there are many others. In one transaction under the
-- lock of the tables: who acknowledges or claims meanwhile waits some milliseconds.
create function shop.activity_compact(p_bytes bigint default 1048576)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '20ms'
as $$
declare
  v_positions shop.activity_position[];
  v_claims shop.activity_claim[];
begin
  if pg_relation_size('shop.activity_position') + pg_relation_size('shop.activity_claim') < p_bytes then
    return false;
  end if;
  lock table shop.activity_position, shop.activity_claim in access exclusive mode;
  v_positions := array(
    select p
    from shop.activity_consumer as c
    cross join lateral (
      select n.*
      from shop.activity_position as n
      where n.consumer = c.consumer
      order by n.position_id desc
      limit 1
    ) as p
  );
  -- Of the newest claim also the first row, which says how far all was claimed, and its end.
  v_claims := array(
    select k
    from shop.activity_consumer as c
    cross join lateral (
      select s.*
      from shop.activity_claim as s
      where s.consumer = c.consumer
        and s.step = 0
      order by s.claim_id desc
      limit 1
    ) as n
    cross join lateral (
      select n.*
      union all
      select o.*
      from unnest(n.open_claims) as i (claim_id)
      cross join lateral (
        select s.*
        from shop.activity_claim as s
        where s.consumer = c.consumer
          and s.claim_id = i.claim_id
        order by s.step desc
        limit 1
      ) as o
      where (o.is_open or o.claim_id = n.claim_id)
        and (o.step > 0 or o.claim_id <> n.claim_id)
    ) as k
  );
  truncate shop.activity_position, shop.activity_claim;
  insert into shop.activity_position
  select p.*
  from unnest(v_positions) as p;
  insert into shop.activity_claim
  select c.*
  from unnest(v_claims) as c;
  return true;
exception
  when lock_not_available then
    return false;
end
$$;

-- Clears away and rotates; what is locked by others stays for the next time. Takes strong locks until the end of the
-- transaction: to be called in one of its own.
create function shop.activity_maintain()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  -- Two at once could each have read what the other would lock.
  if current_setting('transaction_read_only') = 'on' or not pg_try_advisory_xact_lock(-6277507035114536254 + 2) then
    return;
  end if;
  perform setval('shop.activity_maintained_at', floor(extract(epoch from clock_timestamp()))::bigint);
  perform shop.activity_truncate(0::smallint);
  perform shop.activity_truncate(1::smallint);
  perform shop.activity_truncate(2::smallint);
  perform shop.activity_truncate(3::smallint);
  perform shop.activity_truncate(4::smallint);
  perform shop.activity_rotate();
  perform shop.activity_compact();
end
$$;
comment on function shop.activity_maintain is 'Clears away what nobody needs any more. Consumers call it by themselves, every ten seconds.';

-- Repairs what a restore into another cluster has broken: what had no offset yet, or was published since, is published anew
-- in its order, in a segment where no stamp of the other cluster is; the other segments are only read from here on. Sequences
-- were restored as well: a greater number than the newest page knew is younger than it.
create function shop.activity_restored()
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_last shop.activity_page;
  v_segment smallint;
  v_count bigint;
  v_consumer shop.activity_consumer;
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using
      errcode = 'QN004',
      message = 'a stream can be repaired in a READ COMMITTED transaction only';
  end if;
  perform pg_advisory_xact_lock(hashtextextended(c.consumer, -6277507035114536254))
  from (
    select n.consumer
    from shop.activity_consumer as n
    where shop.activity_ordered_by(n.consumer) is not null
    order by n.consumer
  ) as c;
  perform pg_advisory_xact_lock(-6277507035114536254 + 1);
  lock table shop.activity_event, shop.activity_page in access exclusive mode;
  select p.*
  into v_last
  from shop.activity_page as p
  order by p.first_offset desc, p.last_offset desc
  limit 1;
  if not found then
    raise exception using
      errcode = 'QN020',
      message = 'stream "activity" was restored without its data',
      hint = 'Drop schema shop, and let the migrations make it anew.';
  end if;
  if v_last.home = shop.activity_home() and v_last.hi_next <= pg_snapshot_xmax(pg_current_snapshot()) then
    return 0;
  end if;
  select s.segment
  into v_segment
  from generate_series(0, 5 - 1) as s (segment)
  where not exists (select from shop.activity_event as e where e.segment = s.segment)
    and not exists (select from shop.activity_page as p where p.segment = s.segment)
  order by s.segment
  limit 1;
  if not found then
    raise exception using
      errcode = 'QN020',
      message = 'no segment of stream "activity" is empty',
      hint = 'Empty one of shop.activity_event_0, shop.activity_event_1, … with its pages, whose events nobody needs any more.';
  end if;

  with left_over as materialized (
    select e.*, min(e.event_number) over (partition by e.stamp) as quern_first
    from shop.activity_event as e
    where e.segment <> all (v_last.foreign_segments)
      and (e.event_number > v_last.drawn_number or e.stamp >= v_last.hi_next or e.stamp = any (v_last.hi_running))
  ), taken as (
    delete from shop.activity_event as e
    using left_over as l
    where (e.segment, e.stamp, e.event_number) = (l.segment, l.stamp, l.event_number)
  )
  insert into shop.activity_event (segment, published_at, contract_version, customer_id, kind, detail)
  select v_segment, l.published_at, l.contract_version, l.customer_id, l.kind, l.detail
  from left_over as l
  order by l.quern_first, l.event_number;
  get diagnostics v_count = row_count;

  -- An empty one has the same place as the one that comes now.
  delete from shop.activity_page as p
  where p.first_offset = v_last.last_offset + 1;
  v_last.segment := v_segment;
  v_last.first_offset := v_last.last_offset + 1;
  v_last.mark_stamps := '{}';
  v_last.mark_numbers := '{}';
  v_last.is_dense := false;
  v_last.is_joined := false;
  v_last.is_settled := false;
  -- All of this cluster that begins from here on, this transaction included, and all that runs.
  v_last.hi_next := pg_current_xact_id();
  v_last.hi_running := array(select r.stamp from pg_snapshot_xip(pg_current_snapshot()) as r (stamp) where r.stamp < pg_current_xact_id());
  v_last.drawn_number := coalesce(pg_sequence_last_value('shop.activity_event_number'), 0);
  v_last.home := shop.activity_home();
  v_last.foreign_segments := array(select s.segment from generate_series(0, 5 - 1) as s (segment) where s.segment <> v_segment);
  v_last.sealed_by := pg_current_xact_id();
  v_last.sealed_at := greatest(clock_timestamp(), v_last.sealed_at);
  insert into shop.activity_page
  select v_last.*;
  perform setval('shop.activity_segment', v_segment);

  -- What a consumer has seen before comes again, for nothing must be left out.
  for v_consumer in
    select c.*
    from shop.activity_consumer as c
    where shop.activity_done_up_to(c.consumer) is null
  loop
    insert into shop.activity_position (consumer, previous_id, up_to)
    values (v_consumer.consumer, 0, shop.activity_first_offset() - 1);
    if v_consumer.is_cooperative then
      perform shop.activity_begin_claims(v_consumer.consumer, shop.activity_first_offset() - 1);
    end if;
    raise warning using
      message = format('consumer "%s" of stream "activity" begins again at the oldest event', v_consumer.consumer),
      detail = 'It was dumped while the positions of consumers were being cleared away, and the dump does not say where it was.',
      hint = 'Move it with shop.activity_seek if you know better.';
  end loop;

  -- Labels of an enum have other hashes here.
  update shop.activity_claim as c
  set ordered_by = null
  where c.ordered_by is not null;
  perform shop.activity_reorder(c.consumer)
  from shop.activity_consumer as c
  where shop.activity_ordered_by(c.consumer) is not null;
  return v_count;
end
$$;
comment on function shop.activity_restored is 'To be run once after a restore into another cluster. Returns how many events were published anew.';

create function shop.activity_lag()
returns table (
  consumer text,
  up_to bigint,
  behind bigint,
  oldest_age interval,
  moved_at timestamptz,
  claims bigint,
  retries bigint,
  dead bigint
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_newest constant shop.activity_page := shop.activity_newest_page();
begin
  return query
  select
    c.consumer,
    n.up_to,
    v_newest.last_offset - n.up_to,
    (
      select clock_timestamp() - p.sealed_at
      from shop.activity_page as p
      where p.first_offset <= n.up_to + 1
        and p.last_offset >= n.up_to + 1
      order by p.first_offset desc
      limit 1
    ),
    n.moved_at,
    n.claims,
    (select count(*) from shop.activity_failed as f where f.consumer = c.consumer and f.dead_at is null),
    (select count(*) from shop.activity_failed as f where f.consumer = c.consumer and f.dead_at is not null)
  from shop.activity_consumer as c
  cross join lateral (
    select
      shop.activity_done_up_to(c.consumer),
      (
        select m.moved_at
        from (
          (select p.moved_at from shop.activity_position as p where p.consumer = c.consumer order by p.position_id desc limit 1)
          union all
          (select s.moved_at from shop.activity_claim as s where s.consumer = c.consumer order by s.claim_id desc, s.step desc limit 1)
        ) as m
        order by m.moved_at desc
        limit 1
      ),
      (select count(*) from shop.activity_open_claims(c.consumer) where c.is_cooperative)
  ) as n (up_to, moved_at, claims)
  order by c.consumer;
end
$$;
comment on function shop.activity_lag is 'How far each consumer is behind: in events that have an offset, and since when the oldest of them has it; what its workers hold, what waits for another attempt, its dead letters.';

-- The command line finds out by what this depends on whose tables these are.
create function shop.activity_stats()
returns table (first_offset bigint, last_offset bigint, unsealed bigint, segments bigint, bytes bigint)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select
    shop.activity_first_offset(),
    n.last_offset,
    (
      select count(*)
      from shop.activity_event as e
      where (e.stamp >= n.hi_next or e.stamp = any (n.hi_running))
        and e.segment <> all (n.foreign_segments)
    ),
    (select count(distinct p.segment) from shop.activity_page as p),
    pg_total_relation_size('shop.activity_event_0') + pg_total_relation_size('shop.activity_page_0') + pg_total_relation_size('shop.activity_event_1') + pg_total_relation_size('shop.activity_page_1') + pg_total_relation_size('shop.activity_event_2') + pg_total_relation_size('shop.activity_page_2') + pg_total_relation_size('shop.activity_event_3') + pg_total_relation_size('shop.activity_page_3') + pg_total_relation_size('shop.activity_event_4') + pg_total_relation_size('shop.activity_page_4') + 0
  from shop.activity_newest_page() as n;
end;
comment on function shop.activity_stats is 'The offsets of the events that are kept, how many committed ones have none yet, the segments in use and the size on disk.';

-- What knows nothing of contracts publishes in the oldest one that takes the fields of its payload and their values, and reads
-- in the oldest one.
create function shop.activity_publish_json(p_payload jsonb)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform shop.activity_publish_json_v1(p_payload);
end
$$;
comment on function shop.activity_publish_json is 'Publishes a JSON object, which is checked against the contract.';

create function shop.activity_read_json(p_after bigint, p_count integer default 100)
returns table (event_offset bigint, published_at timestamptz, payload jsonb)
language sql security definer
set search_path = pg_catalog, pg_temp
set jit = off
begin atomic
  select r.event_offset, r.published_at, r.payload
  from shop.activity_read_json_v1(p_after, p_count) as r;
end;
comment on function shop.activity_read_json is 'The events after an offset, each with its payload as one JSON object.';

select shop.activity_subscribe('audit', 'start');
select shop.activity_subscribe('statistics', 'start');
select shop.activity_subscribe('notifier', 'start');
select shop.activity_share('notifier', interval '1 minute', 5, 'exponential', interval '1 second', interval '1 hour', 0.2);

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
