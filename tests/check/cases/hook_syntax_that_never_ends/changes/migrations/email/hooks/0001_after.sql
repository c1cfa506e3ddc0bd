select 1;
select 'open;
