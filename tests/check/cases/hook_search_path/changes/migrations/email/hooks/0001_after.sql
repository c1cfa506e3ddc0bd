create function shop.mine() returns void language sql security definer begin atomic select; end;
alter function shop.mine() security definer;
create function shop.safe() returns void language sql security definer set search_path = '' begin atomic select; end;
