#include <array>

#include "check/codes.hpp"

namespace check {
namespace {

constexpr auto error = text::severity::error;
constexpr auto warning = text::severity::warning;

constexpr std::array codes{
    code{"hook_index_blocks", "an index is built while writers wait", error,
         R"~(`create index` locks the table against writes until the index is built; producers stand still.
Way out: a step with `-- transaction: no`:
  create index concurrently customer_name on shop.customer (name);
On a table that the same hook creates, it is safe.)~"},
    code{"hook_index_drop_blocks", "an index is dropped under a lock that stops everyone", warning,
         R"~(`drop index` waits for every query on the table, and every later query waits behind it.
Way out: drop index concurrently shop.customer_name, in a step with `-- transaction: no`.)~"},
    code{"hook_reindex_blocks", "an index is rebuilt while others wait", error,
         R"~(`reindex` locks the table against writes, and the index against readers, until it is done.
Way out: reindex index concurrently …, in a step with `-- transaction: no`.)~"},
    code{"hook_unique_blocks", "a unique or primary key builds its index under the strongest lock", error,
         R"~(`add constraint … unique (…)` stops readers and writers until its index is built.
Way out: build the index first, in a step with `-- transaction: no`, then take it:
  create unique index concurrently customer_email_key on shop.customer (email);
  alter table shop.customer add constraint customer_email_key unique using index customer_email_key;)~"},
    code{
        "hook_not_null_scan", "set not null reads the whole table under the strongest lock", error,
        R"~(Everyone waits until every row has been looked at, unless a validated check says already that there is no null.
Way out: three steps:
  alter table shop.customer add constraint customer_name_given check (name is not null) not valid;
  alter table shop.customer validate constraint customer_name_given;
  alter table shop.customer alter column name set not null;       -- does not scan any more)~"},
    code{"hook_check_scan", "a check reads the whole table under the strongest lock", error,
         R"~(Way out: two steps; the second one lets others read and write:
  alter table shop.customer add constraint customer_age check (age >= 0) not valid;
  alter table shop.customer validate constraint customer_age;)~"},
    code{"hook_foreign_key_blocks", "a foreign key is checked while writers of both tables wait", error,
         R"~(Way out: two steps; the second one lets others read and write:
  alter table shop.customer add constraint customer_city foreign key (city_id) references shop.city (id) not valid;
  alter table shop.customer validate constraint customer_city;)~"},
    code{
        "hook_validate_with_add", "a constraint is validated in the transaction that adds it", error,
        R"~(The strong lock of `add constraint` is held until the end of the step, so that the scan of `validate` happens under
it: nothing is gained by `not valid`.
Way out: `validate constraint` in a step of its own.)~"},
    code{
        "hook_volatile_default", "a new column whose value differs for each row", error,
        R"~(A default that is volatile (random(), gen_random_uuid(), nextval()), a serial, identity or stored generated column
makes PostgreSQL write the whole table again under the strongest lock.
Way out: add the column without a default, give new rows one, and fill the old ones in batches:
  alter table shop.customer add column token uuid;
  alter table shop.customer alter column token set default gen_random_uuid();)~"},
    code{
        "hook_type_rewrite", "a column's type is changed", error,
        R"~(Most changes of a type write the whole table and its indexes again under the strongest lock, and programs that read
the column see another type from one moment to the next.
Way out: a new column of the new type beside the old one, filled in batches; or accept it where PostgreSQL only changes
the catalog (a longer varchar, varchar to text):
  -- quern:allow hook_type_rewrite varchar(20) to text writes nothing)~"},
    code{
        "hook_rewrites_table", "a table is written again under the strongest lock", error,
        R"~(vacuum full, cluster, set logged/unlogged, set access method and set tablespace copy the table while everyone waits.
Way out: pg_repack or a new table that is filled in batches; bloat of quern's own tables needs neither.)~"},
    code{
        "hook_lock_table", "a table is locked by hand", error,
        R"~(Whoever needs the table waits until the step ends. A lock of one table and then another deadlocks with programs that
take them in the other order.
Way out: let statements take the locks that they need; a lock for one row is `select … for update`.)~"},
    code{"hook_rename", "a table, column or other object is renamed", warning,
         R"~(Programs that are running use the old name: they fail from one moment to the next, and so they do after a
roll-back of the program.
Way out: a new column beside the old one, or a view under the new name; drop the old one when nobody uses it.)~"},
};

}  // namespace

std::span<const code> hook_lock_codes() {
  return codes;
}

}  // namespace check
