create or replace function shop.email_ack(p_id bigint) returns void language sql begin atomic select; end;
drop function shop.email_purge;
alter function shop.email_stats() stable;
create function shop.mine() returns void language sql begin atomic select; end;
