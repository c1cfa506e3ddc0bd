-- quern migration: email/0002_change_options
-- Changes queue email: changes lease.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create or replace function shop.email_extend(); -- interval '2 minutes'

create or replace function shop.email_claim_v1()
-- interval '2 minutes', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;

-- reverse
create or replace function shop.email_extend(); -- interval '30 seconds'

create or replace function shop.email_claim_v1()
-- interval '30 seconds', 8 attempts
-- messages where m.contract_version = 1
-- delayed where d.contract_version = 1
-- order_id bigint = m.order_id or d.order_id
-- subject text = m.subject or d.subject
;
