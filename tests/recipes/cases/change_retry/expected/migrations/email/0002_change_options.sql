-- quern migration: email/0002_change_options
-- Changes queue email: changes retry.backoff; changes retry.initial; changes retry.jitter; changes retry.max; changes retry.max_attempts.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_bury()
-- v1 and older, after 3 attempts
-- kept, order_id, subject
;

create or replace function shop.email_retry_delay(); -- least(interval '1 minute', interval '5 seconds' * least(p_attempt, 12))

create or replace function shop.email_nack()
-- v1 and older, after 3 attempts dead, else delayed, order_id, subject
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 3 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 3 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

-- reverse
create or replace function shop.email_bury()
-- v1 and older, after 8 attempts
-- kept, order_id, subject
;

create or replace function shop.email_retry_delay(); -- least(interval '1 hour', interval '1 second' * power(2, least(p_attempt - 1, 12))) * (1 - 0.2 * random())

create or replace function shop.email_nack()
-- v1 and older, after 8 attempts dead, else delayed, order_id, subject
;

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

create or replace function shop.email_take_v1()
-- 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;
