-- Who sent what: filled by the mailer, in the transaction that takes the message.
create table corner_shop.sent_mail (
  order_id bigint primary key,
  sent_at  timestamptz not null default now()
);
