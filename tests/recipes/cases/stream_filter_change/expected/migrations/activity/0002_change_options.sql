-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "audit"; adds the consumer "young".
-- roles: mailer, ops, web

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'same',  -- 'young'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if p_event.contract_version = 1: p_event.kind in ('signup', 'it''s')
-- 'same' if p_event.contract_version = 1: p_event.kind = 'a' and p_event.customer_id > 1
-- 'young' if p_event.contract_version = 1: p_event.customer_id > 1000

-- reverse
create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'same'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if p_event.contract_version = 1: p_event.kind = 'signup'
-- 'same' if p_event.contract_version = 1: p_event.kind = 'a' and p_event.customer_id > 1

-- step: consumers
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

select shop.activity_subscribe('young', 'end');

-- reverse
select shop.activity_unsubscribe('young');
