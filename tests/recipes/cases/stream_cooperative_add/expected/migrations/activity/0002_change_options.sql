-- quern migration: activity/0002_change_options
-- Changes stream activity: adds the consumer "indexer"; adds the consumer "notifier".

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_subscribe('notifier', 'start');
select shop.activity_share('notifier', interval '1 minute', 5, 'exponential', interval '1 second', interval '1 hour', 0.2);
select shop.activity_subscribe('indexer', 'end');
select shop.activity_share('indexer', interval '30 seconds', 8, 'exponential', interval '1 second', interval '1 hour', 0.2);

-- reverse
select shop.activity_unsubscribe('notifier');
select shop.activity_unsubscribe('indexer');
