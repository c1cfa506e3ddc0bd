update shop.customer set name = trim(name);
delete from only shop.customer;
update shop.customer set name = trim(name) where name <> trim(name);
create table shop.note as select 1 as id;
update shop.note set id = 2;
