grant select on shop.customer to web, public;
alter default privileges in schema shop grant execute on functions to public;
revoke all on shop.customer from public;
