create table audit.note (id bigint);
insert into shop.customer select * from public.customer;
update public.customer set name = '' where id = 1;
