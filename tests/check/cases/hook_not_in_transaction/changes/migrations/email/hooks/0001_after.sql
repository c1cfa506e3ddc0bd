vacuum shop.customer;
alter system set work_mem = '64MB';
create database other;
