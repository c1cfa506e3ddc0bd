alter table shop.customer alter column name set not null;
