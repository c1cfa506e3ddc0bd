-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "audit"; drops the consumer "old".
-- roles: mailer, ops, web

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_has_filter(p_consumer text);
create or replace function shop.activity_wants(p_consumer text);

-- reverse
create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'old'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if p_event.contract_version = 1: p_event.kind = 'signup'
-- 'old' if p_event.contract_version = 1: p_event.customer_id < 10

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_unsubscribe('old');

-- reverse
select shop.activity_subscribe('old', 'start');
