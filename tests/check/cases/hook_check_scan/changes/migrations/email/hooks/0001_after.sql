alter table shop.customer add constraint customer_age check (age >= 0);
