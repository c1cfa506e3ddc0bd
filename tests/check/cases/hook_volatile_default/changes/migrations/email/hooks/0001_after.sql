alter table shop.customer add column token uuid default gen_random_uuid();
alter table shop.customer add column seen_at timestamptz default now();
alter table shop.customer add column number bigserial, add column n bigint generated always as identity;
alter table shop.customer add column upper_name text generated always as (upper(name)) stored;
alter table shop.customer add column code text default shop.next_code();
