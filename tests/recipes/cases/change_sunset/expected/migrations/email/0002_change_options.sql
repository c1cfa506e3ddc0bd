-- quern migration: email/0002_change_options
-- Changes queue email: changes sunset.

-- step: nothing
-- lock: none
-- lock_timeout: 5s
-- statement_timeout: 1min
-- transaction: yes

-- Nothing of it is in the database.

-- reverse
-- Nothing of it is in the database.
