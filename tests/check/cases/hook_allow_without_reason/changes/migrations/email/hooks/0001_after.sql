-- quern:allow hook_lock_table
lock table shop.customer;
