alter table shop.customer rename to client;
alter table shop.customer rename column name to title;
alter table shop.customer rename constraint a to b;
