create index customer_name on shop.customer (name);
create unique index on shop.customer (email);
create table shop.note (id bigint);
create index note_id on shop.note (id);
create temporary table work (id bigint);
create index on work (id);
