-- quern migration: activity/0002_change_options
-- Changes stream activity: changes retention.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_is_done_with(p_segment smallint); -- interval '2160 hours'
create or replace function shop.activity_truncate(p_segment smallint);

create or replace function shop.activity_rotate(); -- interval '1080 hours'

-- reverse
create or replace function shop.activity_is_done_with(p_segment smallint); -- interval '168 hours'
create or replace function shop.activity_truncate(p_segment smallint);

create or replace function shop.activity_rotate(); -- interval '84 hours'
