alter table shop.customer add constraint customer_age check (age >= 0) not valid;
alter table shop.customer validate constraint customer_age;
