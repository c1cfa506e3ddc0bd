reindex table shop.customer;
reindex index shop.customer_name;
