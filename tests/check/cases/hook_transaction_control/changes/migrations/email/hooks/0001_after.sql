begin;
select 1;
savepoint here;
rollback to here;
commit;
