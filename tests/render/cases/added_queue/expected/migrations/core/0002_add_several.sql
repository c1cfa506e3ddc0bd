-- quern migration: core/0002_add_several
-- Changes what all queues share: adds the enumeration "kind"; adds the queue "parcels".

-- step: types
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

create type shop.kind as enum ('small', 'large');

-- reverse
drop type shop.kind;

-- step: doors
-- lock: none that anybody waits for
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- door of 'email'
-- door of 'parcels'

-- reverse
-- door of 'email'
