drop index shop.customer_name;
