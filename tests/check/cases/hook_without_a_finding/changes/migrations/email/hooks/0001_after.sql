-- Customers get a note.
create table shop.note (
  customer_id bigint not null,
  note text not null,
  constraint note_key primary key (customer_id)
);
comment on table shop.note is 'What was said.';
grant select on shop.note to web;
insert into shop.note (customer_id, note) select 1, 'x' where exists (select from shop.email_dead);
do $$ begin perform 1; end $$;
