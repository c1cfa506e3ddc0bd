-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "notifier".

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_share('notifier', interval '2 minutes', 3, 'linear', interval '10 seconds', interval '1 minute', 0);

-- reverse
select shop.activity_share('notifier', interval '1 minute', 5, 'exponential', interval '1 second', interval '1 hour', 0.2);
