truncate shop.email_message, shop.customer;
delete from shop.email_dead;
delete from shop.email_dead where dead_at < now() - interval '1 year';
