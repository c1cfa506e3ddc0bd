alter table shop.customer add constraint customer_city foreign key (city_id) references shop.city (id);
alter table shop.customer add foreign key (city_id) references shop.city (id) not valid;
alter table shop.customer add column land_id bigint references shop.land (id);
