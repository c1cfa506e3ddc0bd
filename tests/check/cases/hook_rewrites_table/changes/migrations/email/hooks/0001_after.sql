vacuum (full, analyze) shop.customer;
cluster shop.customer using customer_name;
alter table shop.customer set unlogged;
alter table shop.email_message set logged;
