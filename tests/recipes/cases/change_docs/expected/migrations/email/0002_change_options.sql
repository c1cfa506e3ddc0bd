-- quern migration: email/0002_change_options
-- Changes queue email: changes doc; changes payload.order_id.doc; changes payload.subject.doc.

-- step: functions
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

comment on table shop.email_message is 'Mail that has to be sent.';

comment on column shop.email_message.order_id is null;
comment on column shop.email_message.subject is 'In a line.';

-- reverse
comment on table shop.email_message is 'Mail.';

comment on column shop.email_message.order_id is 'Which order.';
comment on column shop.email_message.subject is null;
