-- quern migration: activity/0002_change_options
-- Changes stream activity: changes the consumer "audit"; changes the consumer "notifier".
-- roles: mailer, ops, web

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.activity_has_filter(p_consumer text); -- 'audit',  -- 'notifier'
create or replace function shop.activity_wants(p_consumer text);
-- 'audit' if p_event.contract_version = 1: p_event.kind = 'signup'
-- 'notifier' if p_event.contract_version = 1: p_event.channel = 'sms' and (p_event.detail ->> 'urgent')::boolean

-- reverse
create or replace function shop.activity_has_filter(p_consumer text);
create or replace function shop.activity_wants(p_consumer text);
