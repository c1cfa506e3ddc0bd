alter table shop.customer alter column name type varchar(20);
