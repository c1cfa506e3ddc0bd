-- The table has twenty rows.
-- quern:allow hook_index_blocks twenty rows
-- quern:allow hook_unqualified_name the role has a search_path
create index customer_name on customer (name);
