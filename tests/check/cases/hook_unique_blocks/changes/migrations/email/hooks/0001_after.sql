alter table shop.customer add constraint customer_email_key unique (email);
alter table shop.customer add primary key (id);
alter table shop.customer add constraint customer_tax_key unique using index customer_tax_key;
