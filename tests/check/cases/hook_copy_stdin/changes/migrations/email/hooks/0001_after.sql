copy shop.customer from stdin;
copy shop.customer to stdout;
