-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "crew"; changes the consumer "plain"; adds the consumer "young".
-- roles: mailer, ops, web

-- step: functions
-- lock: share row exclusive on what failed, while its keys are written
-- lock_timeout: 15ms
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_ordered_by(p_consumer text); -- 'crew' 'customer_id' -- 'plain' 'shop' -- 'young' 'customer_id'
create or replace function shop.activity_blocks(p_consumer text); -- 'crew',  -- 'young'
create or replace function shop.activity_key_of(p_consumer text);
-- 'crew': hashint4extended(p_event.customer_id, 0)
-- 'plain': hashtextextended(p_event.shop, 0)
-- 'young': hashint4extended(p_event.customer_id, 0)
create or replace function shop.activity_key_of_failed(p_consumer text);
-- 'crew': hashint4extended(p_failed.customer_id, 0)
-- 'plain': hashtextextended(p_failed.shop, 0)
-- 'young': hashint4extended(p_failed.customer_id, 0)

create or replace function shop.activity_blocked(); -- customer_id -- shop -- customer_id

select shop.activity_reorder('crew');

select shop.activity_reorder('plain');

select shop.activity_reorder('young');

-- reverse
create or replace function shop.activity_ordered_by(p_consumer text);
create or replace function shop.activity_blocks(p_consumer text);
create or replace function shop.activity_key_of(p_consumer text);
create or replace function shop.activity_key_of_failed(p_consumer text);

create or replace function shop.activity_blocked();

select shop.activity_reorder('crew');

select shop.activity_reorder('plain');

select shop.activity_reorder('young');

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_share('plain', interval '30 seconds', 8, 'exponential', interval '1 second', interval '1 hour', 0.2);
select shop.activity_subscribe('young', 'start');
select shop.activity_share('young', interval '30 seconds', 8, 'exponential', interval '1 second', interval '1 hour', 0.2);

-- reverse
select shop.activity_unshare('plain');
select shop.activity_unsubscribe('young');
