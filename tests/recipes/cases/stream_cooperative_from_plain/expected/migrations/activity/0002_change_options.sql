-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "audit"; changes the consumer "notifier".

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_share('audit', interval '30 seconds', 8, 'exponential', interval '1 second', interval '1 hour', 0.2);
select shop.activity_unshare('notifier');

-- reverse
select shop.activity_unshare('audit');
select shop.activity_share('notifier', interval '30 seconds', 8, 'exponential', interval '1 second', interval '1 hour', 0.2);
