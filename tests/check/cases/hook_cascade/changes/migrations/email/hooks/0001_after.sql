drop table shop.customer cascade;
truncate shop.customer cascade;
alter table shop.customer drop column name cascade, drop constraint customer_age cascade;
