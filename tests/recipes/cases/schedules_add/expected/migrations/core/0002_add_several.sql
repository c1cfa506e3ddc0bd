-- quern migration: core/0002_add_several
-- Changes what all queues share: adds the schedule "digest"; adds the schedule "heartbeat".
-- roles: Web-App, ops

-- step: schedules
-- lock: none but on what keeps the schedules, which those that run them wait for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

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

create function shop.quern_schedule_falls_on();
create function shop.quern_schedule_times();
create function shop.quern_schedule_next();
create function shop.quern_schedule_due();

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
    ('digest', 'email', '30 6-18/6 * * mon-fri', 'Europe/Berlin', array[30], array[6, 12, 18], null::integer[], null::integer[], array[1, 2, 3, 4, 5], 'last', 'quern', 'The day''s summary.'),
    ('heartbeat', 'activity', '@hourly', 'UTC', array[0], array[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23], null::integer[], null::integer[], null::integer[], 'none', 'quern', null::text);
end;
comment on function shop.quern_schedule_declared() is 'The schedules as the declaration has them; null stands for any value of a field.';
revoke all on function shop.quern_schedule_declared() from public;

create function shop.quern_schedule_fire(p_schedule text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule = 'digest' then
    return shop.email_enqueue_json_v1('{"order_id": 1, "subject": "It''s time", "channel": "sms"}');
  end if;
  if p_schedule = 'heartbeat' then
    perform shop.activity_publish_json_v1('{"kind": "heartbeat", "tags": ["a", 1.5, true]}');
    return null;
  end if;
  raise exception using
    errcode = 'QN030',
    message = format('there is no schedule "%s"', p_schedule);
end
$$;
comment on function shop.quern_schedule_fire(text) is 'Enqueues or publishes what a schedule is for; returns the message id.';
revoke all on function shop.quern_schedule_fire(text) from public;

create function shop.quern_schedule_run();
create function shop.quern_schedules();

grant execute on function shop.quern_schedule_run(text, integer), shop.quern_schedules() to "Web-App", ops;

do $$
begin
  if not exists (select from pg_catalog.pg_timezone_names as z where z.name = 'Europe/Berlin') then
    raise exception using
      errcode = 'QN031',
      message = 'the server has no time zone "Europe/Berlin", which the schedule "digest" needs',
      hint = 'pg_timezone_names lists those that the server has.';
  end if;
end
$$;
insert into shop.quern_schedule (schedule)
values ('digest')
on conflict (schedule) do update
set counted_from = clock_timestamp(),
  failure_count = 0,
  retry_at = null;
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

notify "shop.quern_schedule";

-- reverse
drop function shop.quern_schedules;
drop function shop.quern_schedule_run;
drop function shop.quern_schedule_fire;
drop function shop.quern_schedule_declared;
drop function shop.quern_schedule_due;
drop function shop.quern_schedule_next;
drop function shop.quern_schedule_times;
drop function shop.quern_schedule_falls_on;
drop table shop.quern_schedule;

notify "shop.quern_schedule";
