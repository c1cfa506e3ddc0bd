set statement_timeout = 0;
set local work_mem = '64MB';
reset all;
set session authorization web;
set role web;
select set_config('search_path', 'shop', false);
select set_config('work_mem', '64MB', true);
set constraints all deferred;
discard all;
