lock table shop.customer in share mode;
