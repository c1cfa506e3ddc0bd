create index concurrently customer_name on shop.customer (name);
drop index concurrently shop.customer_old;
reindex index concurrently shop.customer_name;
alter table shop.log detach partition shop.log_1 concurrently;
