-- quern:allow hook_index_blocks twenty rows

select 1;
-- quern:allow hook_rubbish why
lock table shop.customer;
create function shop.f() returns void language plpgsql as $$
-- quern:allow hook_lock_table is only text here
begin
end $$;
-- quern:allow hook_lock_table nothing follows
