-- quern migration: core/0002_change
-- Changes what all queues share: moves the schedule "cleanup" to contract v2; changes contract, payload of the schedule "digest"; changes cron, catch_up, operate of the schedule "heartbeat"; adds the schedule "report"; drops the schedule "old".
-- roles: ops

-- step: schedules
-- lock: none but on what keeps the schedules, which those that run them wait for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.quern_schedule_declared()
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
    ('cleanup', 'email', '0 3 * * sun', 'UTC', array[0], array[3], null::integer[], null::integer[], array[0], 'last', 'quern', null::text),
    ('digest', 'email', '30 6-18/6 * * mon-fri', 'Europe/Berlin', array[30], array[6, 12, 18], null::integer[], null::integer[], array[1, 2, 3, 4, 5], 'last', 'quern', 'The day''s summary.'),
    ('heartbeat', 'activity', '@daily', 'UTC', array[0], array[0], null::integer[], null::integer[], null::integer[], 'all', 'quern', null::text),
    ('report', 'email', '0 9 1 * *', 'UTC', array[0], array[9], array[1], null::integer[], null::integer[], 'last', 'quern', null::text);
end;
comment on function shop.quern_schedule_declared() is 'The schedules as the declaration has them; null stands for any value of a field.';
revoke all on function shop.quern_schedule_declared() from public;

create or replace function shop.quern_schedule_fire(p_schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule = 'cleanup' then
    return shop.email_enqueue_json_v2('{"order_id": 2, "subject": "clean"}');
  end if;
  if p_schedule = 'digest' then
    return shop.email_enqueue_json_v2('{"order_id": 1, "subject": "It''s time", "channel": "sms", "note": "daily"}');
  end if;
  if p_schedule = 'heartbeat' then
    perform shop.activity_publish_json_v1('{"kind": "heartbeat", "tags": ["a", 1.5, true]}');
    return null;
  end if;
  if p_schedule = 'report' then
    return shop.email_enqueue_json_v2('{"order_id": 3, "subject": "report"}');
  end if;
  raise exception using
    errcode = 'QN030',
    message = format('there is no schedule "%s"', p_schedule);
end
$$;
comment on function shop.quern_schedule_fire(text) is 'Enqueues or publishes what a schedule is for; returns the message id.';
revoke all on function shop.quern_schedule_fire(text) from public;

revoke execute on function shop.quern_schedule_run(text, integer), shop.quern_schedules() from "Web-App";

grant execute on function shop.quern_schedule_run(text, integer), shop.quern_schedules() to ops;

do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'UTC') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "UTC", which the schedule "heartbeat" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('heartbeat')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;
do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'UTC') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "UTC", which the schedule "report" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('report')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;

update shop.quern_schedule
set failure_count = 0,
  retry_at = null
where schedule in ('cleanup', 'digest');

delete from shop.quern_schedule
where schedule in ('old');

notify "shop.quern_schedule";

-- reverse
create or replace function shop.quern_schedule_declared()
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
    ('cleanup', 'email', '0 3 * * sun', 'UTC', array[0], array[3], null::integer[], null::integer[], array[0], 'last', 'quern', null::text),
    ('digest', 'email', '30 6-18/6 * * mon-fri', 'Europe/Berlin', array[30], array[6, 12, 18], null::integer[], null::integer[], array[1, 2, 3, 4, 5], 'last', 'quern', 'The day''s summary.'),
    ('heartbeat', 'activity', '@hourly', 'UTC', array[0], array[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23], null::integer[], null::integer[], null::integer[], 'none', 'quern', null::text),
    ('old', 'activity', '0 0 29 2 *', 'UTC', array[0], array[0], array[29], array[2], null::integer[], 'last', 'quern', null::text);
end;
comment on function shop.quern_schedule_declared() is 'The schedules as the declaration has them; null stands for any value of a field.';
revoke all on function shop.quern_schedule_declared() from public;

create or replace function shop.quern_schedule_fire(p_schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule = 'cleanup' then
    return shop.email_enqueue_json_v1('{"order_id": 2, "subject": "clean"}');
  end if;
  if p_schedule = 'digest' then
    return shop.email_enqueue_json_v1('{"order_id": 1, "subject": "It''s time", "channel": "sms"}');
  end if;
  if p_schedule = 'heartbeat' then
    perform shop.activity_publish_json_v1('{"kind": "heartbeat", "tags": ["a", 1.5, true]}');
    return null;
  end if;
  if p_schedule = 'old' then
    perform shop.activity_publish_json_v1('{}');
    return null;
  end if;
  raise exception using
    errcode = 'QN030',
    message = format('there is no schedule "%s"', p_schedule);
end
$$;
comment on function shop.quern_schedule_fire(text) is 'Enqueues or publishes what a schedule is for; returns the message id.';
revoke all on function shop.quern_schedule_fire(text) from public;

grant execute on function shop.quern_schedule_run(text, integer), shop.quern_schedules() to "Web-App", ops;

do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'UTC') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "UTC", which the schedule "heartbeat" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('heartbeat')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;
do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'UTC') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "UTC", which the schedule "old" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('old')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;

update shop.quern_schedule
set failure_count = 0,
  retry_at = null
where schedule in ('cleanup', 'digest');

delete from shop.quern_schedule
where schedule in ('report');

notify "shop.quern_schedule";
