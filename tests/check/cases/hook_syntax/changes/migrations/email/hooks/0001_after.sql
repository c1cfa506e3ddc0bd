create table shop.note (id bigint);
selct 1;
alter table shop.nöte add cölumn;
select 'the rest' is looked at too, from shop.note;
lock table shop.customer;
