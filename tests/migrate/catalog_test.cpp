#include "migrate/catalog.hpp"

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <vector>

#include "migrate/drift.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

using words = std::vector<std::string>;

// What the migrations of this test make.
constexpr std::string_view installed = R"sql(
create schema shop;
grant usage on schema shop to quern_web;
create type shop.channel as enum ('email', 'sms');
comment on type shop.channel is 'How.';
create type shop.pair as (one integer, other text);
create domain shop.short as text constraint short_length check (char_length(value) < 10);
create sequence shop.message_id as bigint;
create table shop.message (
  message_id bigint not null default nextval('shop.message_id'),
  channel shop.channel not null default 'email',
  lease interval default '1 day 2 hours',
  note text,
  total integer generated always as (message_id) stored,
  constraint message_key primary key (message_id),
  constraint message_note_max_length check (char_length(note) <= 20)
) with (fillfactor = 50, toast.autovacuum_enabled = off);
comment on table shop.message is 'A message.';
create index message_note on shop.message (note) where note is not null;
create view shop.messages as select m.message_id, m.note from shop.message as m;
create function shop.touch() returns trigger language plpgsql as $$
begin
  new.note = 'touched';
  return new;
end
$$;
create trigger message_touch before update on shop.message for each row execute function shop.touch();
create function shop.send(p_note text, p_channel shop.channel default 'email') returns bigint
language sql security definer
set search_path = pg_catalog, pg_temp
begin atomic
  insert into shop.message (note, channel) values (p_note, p_channel) returning message_id;
end;
comment on function shop.send(text, shop.channel) is 'Sends.';
revoke all on function shop.send(text, shop.channel), shop.touch() from public;
grant execute on function shop.send(text, shop.channel) to quern_web;
grant select (note) on shop.message to quern_web;
create table shop.part (at integer, note text) partition by range (at);
create table shop.part_1 partition of shop.part for values from (0) to (10);
)sql";

void install(quern::connection& db) {
  test::ensure_role("quern_web");
  test::ensure_role("quern_owner");
  db.run_script(installed);
}

words differences(quern::connection& expected, quern::connection& found) {
  words each;
  for (const migrate::difference& one :
       migrate::compare(migrate::read_catalog(expected, "shop"), migrate::read_catalog(found, "shop")))
    each.push_back(one.words);
  return each;
}

// A database as the migrations made it, and another that somebody has worked on.
struct scene {
  scene() {
    install(expected);
    install(found);
  }

  words after(std::string_view sql) {
    found.run_script(sql);
    return differences(expected, found);
  }

  test::database one;
  test::database other;
  quern::connection expected{one.url()};
  quern::connection found{other.url()};
};

}  // namespace

TEST_CASE("two databases that the same migrations made do not differ") {
  scene now;
  CHECK(now.after("").empty());
  CHECK(migrate::read_catalog(now.found, "shop") == migrate::read_catalog(now.expected, "shop"));
  const migrate::catalog read = migrate::read_catalog(now.found, "shop");
  CHECK(read.objects.at("table message").properties.at("option fillfactor") == "50");
  CHECK(read.objects.at("table message").properties.at("option toast.autovacuum_enabled") == "off");
  CHECK(read.objects.at("table part_1").properties.at("partition bounds") == "FOR VALUES FROM (0) TO (10)");
  CHECK(read.objects.at("type channel").properties.at("list of labels") == "'email', 'sms'");
  CHECK(read.objects.at("function send(text, shop.channel)").properties.at("grant execute to quern_web") == "yes");
}

TEST_CASE("the values of sequences and the rows of tables are no difference") {
  scene now;
  CHECK(now.after("insert into shop.message (note) values ('x'); select setval('shop.message_id', 500)").empty());
}

TEST_CASE("the ledger of the migrations is no difference") {
  scene now;
  CHECK(now.after("create table shop.quern_migration (line text primary key, number integer check (number > 0))")
            .empty());
}

TEST_CASE("what an extension has put into the schema is no difference") {
  scene now;
  CHECK(now.after("create extension hstore schema shop").empty());
}

TEST_CASE("another owner of everything is no difference, nor what the owner was granted") {
  scene now;
  CHECK(now.after("alter schema shop owner to quern_owner").empty());
  now.found.run_script(
      "do $$ declare v_one record; begin for v_one in "
      "select format('%s %s', case relkind when 'S' then 'sequence' when 'v' then 'view' when 'c' then 'type' "
      "else 'table' end, oid::regclass) as what from pg_class "
      "where relnamespace = 'shop'::regnamespace and relkind in ('r', 'p', 'v', 'S', 'c') "
      "union all select 'function ' || oid::regprocedure from pg_proc where pronamespace = 'shop'::regnamespace "
      "union all select 'type shop.channel' union all select 'domain shop.short' "
      "loop execute 'alter ' || v_one.what || ' owner to quern_owner'; end loop; end $$");
  CHECK(now.after("revoke all on shop.message from quern_owner").empty());
  CHECK(now.after("grant update on shop.message to quern_owner").empty());
}

TEST_CASE("an object that was given to another role than the others is named") {
  scene now;
  const std::string owner = now.found.execute("select quote_ident(current_user)").value<std::string>();
  const std::string others = "most objects here belong to `" + owner + "`";
  CHECK(now.after("alter table shop.message owner to quern_owner; alter sequence shop.message_id owner to quern_owner;"
                  "alter type shop.channel owner to quern_owner; alter view shop.messages owner to quern_owner;"
                  "alter function shop.touch() owner to quern_owner") ==
        words{"function touch(): its owner is `quern_owner`, " + others,
              "sequence message_id: its owner is `quern_owner`, " + others,
              "table message: its owner is `quern_owner`, " + others,
              "type channel: its owner is `quern_owner`, " + others,
              "view messages: its owner is `quern_owner`, " + others});
  scene other;
  CHECK(other.after("alter function shop.send(text, shop.channel) owner to quern_web") ==
        words{"function send(text, shop.channel): its owner is `quern_web`, with whose rights it runs, " + others});
}

TEST_CASE("an owner that the migrations name is expected by its name") {
  scene now;
  const std::string_view given = "alter function shop.touch() owner to quern_owner";
  now.expected.run_script(given);
  const std::string owner = now.found.execute("select quote_ident(current_user)").value<std::string>();
  CHECK(now.after("") == words{"function touch(): its owner is `" + owner + "`, the migrations say `quern_owner`"});
  CHECK(now.after(given).empty());
}

TEST_CASE("settings of the session change no text") {
  scene now;
  now.found.run_script("set search_path = shop; set intervalstyle = 'iso_8601'; set quote_all_identifiers = on");
  CHECK(now.after("").empty());
}

TEST_CASE("each change of a column is named") {
  scene now;
  CHECK(now.after("alter table shop.message add extra jsonb") ==
        words{"column message.extra is not in the migrations"});
  CHECK(
      now.after("alter table shop.message drop extra; alter table shop.message alter lease set default '1 day'") ==
      words{
          "column message.lease: its default is `'1 day'::interval`, the migrations say `'1 day 02:00:00'::interval`"});
  CHECK(now.after("alter table shop.message alter lease drop default") ==
        words{"column message.lease: it has no default, the migrations say `'1 day 02:00:00'::interval`"});
  CHECK(now.after("alter table shop.message alter lease set default '1 day 2 hours', alter channel drop not null") ==
        words{"column message.channel: its nullability is `nullable`, the migrations say `not null`"});
  CHECK(now.after("alter table shop.message alter channel set not null;"
                  "comment on column shop.message.note is 'Seen.'") ==
        words{"column message.note: it has the comment `Seen.`, the migrations give it none"});
  CHECK(now.after("comment on column shop.message.note is null; revoke select (note) on shop.message from quern_web") ==
        words{"column message.note: select is not granted to quern_web, the migrations grant it"});
  CHECK(
      now.after("grant select (note) on shop.message to quern_web;"
                "alter table shop.message alter lease type interval day to second, alter lease set (n_distinct = 5)") ==
      words{"column message.lease: it has the option n_distinct `5`, the migrations give it none",
            "column message.lease: its type is `interval day to second`, the migrations say `interval`"});
}

TEST_CASE("the order of columns is a difference of its own kind") {
  scene now;
  now.found.run_script(
      "drop table shop.part; create table shop.part (note text, at integer) partition by range (at);"
      "create table shop.part_1 partition of shop.part for values from (0) to (10)");
  const auto found =
      migrate::compare(migrate::read_catalog(now.expected, "shop"), migrate::read_catalog(now.found, "shop"));
  REQUIRE(found.size() == 2);
  CHECK(found[0].kind == migrate::difference_kind::order);
  CHECK(found[0].words == "columns of table part: they stand in the order `note, at`, the migrations say `at, note`");
  CHECK(found[1].words == "columns of table part_1: they stand in the order `note, at`, the migrations say `at, note`");
}

TEST_CASE("each change of a table and its parts is named") {
  scene now;
  CHECK(now.after("alter table shop.message set (fillfactor = 70)") ==
        words{"table message: its option fillfactor is `70`, the migrations say `50`"});
  CHECK(now.after("alter table shop.message set (fillfactor = 50), reset (toast.autovacuum_enabled)") ==
        words{"table message: it has no option toast.autovacuum_enabled, the migrations say `off`"});
  CHECK(now.after("alter table shop.message set (toast.autovacuum_enabled = off); "
                  "alter table shop.message enable row level security;"
                  "create policy seen on shop.message for select to quern_web using (note is null)") ==
        words{"policy message.seen is not in the migrations",
              "table message: its row security is `on`, the migrations say `off`"});
  CHECK(now.after("drop policy seen on shop.message; alter table shop.message disable row level security;"
                  "alter table shop.message set unlogged") ==
        words{"table message: its persistence is `unlogged`, the migrations say `permanent`"});
  CHECK(now.after("alter table shop.message set logged; alter table shop.message drop constraint message_key") ==
        words{"constraint message.message_key is missing"});
  CHECK(now.after("alter table shop.message add constraint message_key primary key (message_id);"
                  "alter table shop.message drop constraint message_note_max_length;"
                  "alter table shop.message add constraint message_note_max_length "
                  "check (char_length(note) <= 20) not valid") ==
        words{"constraint message.message_note_max_length: its validity is `not valid`, the migrations say `valid`"});
  CHECK(now.after("alter table shop.message validate constraint message_note_max_length;"
                  "alter table shop.message disable trigger message_touch") ==
        words{"trigger message.message_touch: its state is `disabled`, the migrations say `enabled`"});
  CHECK(now.after("drop trigger message_touch on shop.message") == words{"trigger message.message_touch is missing"});
}

TEST_CASE("each change of an index is named, and one that is invalid") {
  scene now;
  CHECK(
      now.after("drop index shop.message_note; create index message_note on shop.message (note)") ==
      words{"index message_note: its definition is `CREATE INDEX message_note ON shop.message USING btree (note)`, the "
            "migrations say `CREATE INDEX message_note ON shop.message USING btree (note) WHERE (note IS NOT NULL)`"});
  now.found.run_script("drop index shop.message_note; insert into shop.message (note) values ('a'), ('a')");
  try {
    now.found.execute("create unique index concurrently message_note on shop.message (note) where note is not null");
    FAIL("the index was made");
  } catch (const quern::error& refused) {
    CHECK(refused.sqlstate() == "23505");
  }
  CHECK(
      now.after("") ==
      words{
          "index message_note: its definition is `CREATE UNIQUE INDEX message_note ON shop.message USING btree (note) "
          "WHERE (note IS NOT NULL)`, the migrations say `CREATE INDEX message_note ON shop.message USING btree "
          "(note) WHERE (note IS NOT NULL)`",
          "index message_note: its validity is `invalid`, the migrations say `valid`"});
  CHECK(
      now.after("drop index shop.message_note; create index message_note on shop.message (note) where note is not null;"
                "create index other on shop.message (lease)") == words{"index other is not in the migrations"});
}

TEST_CASE("each change of a function is named") {
  scene now;
  const std::string touch =
      "create or replace function shop.touch() returns trigger language plpgsql {} as $$\nbegin\n  new.note = "
      "'touched';\n"
      "{}return new;\nend\n$$";
  CHECK(now.after(fmt::format(fmt::runtime(touch), "", "   ")) ==
        words{"function touch(): line 4 of its body is `   return new;`, the migrations say `  return new;`"});
  CHECK(now.after(fmt::format(fmt::runtime(touch), "", "  -- no\n  ")) ==
        words{"function touch(): line 4 of its body is `  -- no`, the migrations say `  return new;`"});
  CHECK(now.after(fmt::format(fmt::runtime(touch), "stable", "  ")) ==
        words{"function touch(): its volatility is `stable`, the migrations say `volatile`"});
  CHECK(
      now.after(fmt::format(fmt::runtime(touch), "", "  ") + "; alter function shop.touch() set search_path = shop") ==
      words{"function touch(): it has the setting search_path `shop`, the migrations give it none"});
  CHECK(now.after("alter function shop.touch() reset all;"
                  "alter function shop.send(text, shop.channel) security invoker") ==
        words{"function send(text, shop.channel): its security is `invoker`, the migrations say `definer`"});
  CHECK(now.after(
            "alter function shop.send(text, shop.channel) security definer set search_path = pg_temp, pg_catalog") ==
        words{"function send(text, shop.channel): its setting search_path is `pg_temp, pg_catalog`, the migrations say "
              "`pg_catalog, pg_temp`"});
  CHECK(now.after("alter function shop.send(text, shop.channel) set search_path = pg_catalog, pg_temp;"
                  "grant execute on function shop.send(text, shop.channel) to public") ==
        words{"function send(text, shop.channel): execute is granted to public, the migrations do not grant it"});
  CHECK(
      now.after("revoke execute on function shop.send(text, shop.channel) from public;"
                "grant execute on function shop.send(text, shop.channel) to quern_web with grant option") ==
      words{
          "function send(text, shop.channel): execute is granted to quern_web with grant option, the migrations grant "
          "it without"});
  CHECK(now.after("revoke execute on function shop.send(text, shop.channel) from quern_web") ==
        words{"function send(text, shop.channel): execute is not granted to quern_web, the migrations grant it"});
  CHECK(now.after("grant execute on function shop.send(text, shop.channel) to quern_web;"
                  "create function shop.send(p_note text) returns bigint language sql as 'select 1::bigint';"
                  "comment on function shop.send(text, shop.channel) is null") ==
        words{"function send(text) is not in the migrations",
              "function send(text, shop.channel): it has no comment, the migrations say `Sends.`"});
}

TEST_CASE("each change of a type, a sequence, a view and the schema is named") {
  scene now;
  CHECK(now.after("alter sequence shop.message_id increment by 10 cache 5") ==
        words{"sequence message_id: its cache is `5`, the migrations say `1`",
              "sequence message_id: its increment is `10`, the migrations say `1`"});
  CHECK(now.after("alter sequence shop.message_id increment by 1 cache 1 cycle owned by shop.message.message_id") ==
        words{"sequence message_id: its cycle is `yes`, the migrations say `no`",
              "sequence message_id: it has the owning column `message.message_id`, the migrations give it none"});
  CHECK(now.after("alter sequence shop.message_id no cycle owned by none;"
                  "alter type shop.channel add value 'push' before 'sms'") ==
        words{"type channel: its list of labels is `'email', 'push', 'sms'`, the migrations say `'email', 'sms'`"});
  scene later;
  CHECK(later.after(
            "alter domain shop.short drop constraint short_length; alter type shop.pair add attribute third text") ==
        words{"column pair.third is not in the migrations", "constraint short.short_length is missing"});
  scene last;
  CHECK(last.after(
            "create or replace view shop.messages as select m.message_id, m.note from shop.message as m where true") ==
        words{"view messages: line 3 of its definition is `   FROM shop.message m`, the migrations say `   FROM "
              "shop.message m;`"});
  CHECK(
      last.after("drop view shop.messages; revoke usage on schema shop from quern_web; grant create on schema shop to "
                 "public; create statistics shop.twins on message_id, note from shop.message") ==
      words{"schema shop: create is granted to public, the migrations do not grant it",
            "schema shop: usage is not granted to quern_web, the migrations grant it",
            "statistics object shop.twins is not in the migrations", "view messages is missing"});
}

TEST_CASE("a table that is gone or new is told of once, not with all that belongs to it") {
  scene now;
  CHECK(now.after("drop table shop.message cascade; create table shop.other (id serial primary key, note text)") ==
        words{"function send(text, shop.channel) is missing", "table message is missing",
              "table other is not in the migrations", "view messages is missing"});
  CHECK(now.after("drop schema shop cascade") == words{"schema shop is missing"});
}

TEST_CASE("names that have to be quoted are") {
  scene now;
  CHECK(now.after("create table shop.\"Odd \"\"name\"\"\n, it's\" (\"a.b\" integer, c text);") ==
        words{"table \"Odd \"\"name\"\"\n, it's\" is not in the migrations"});
  now.expected.run_script(
      "create table shop.\"Odd \"\"name\"\"\n, it's\" (c text, \"a.b\" integer check (\"a.b\" > 0))");
  CHECK(now.after("create function shop.\"Do it\"(\"p x\" text) returns void language sql as ''") ==
        words{"columns of table \"Odd \"\"name\"\"\n, it's\": they stand in the order `\"a.b\", c`, the migrations say "
              "`c, \"a.b\"`",
              "constraint \"Odd \"\"name\"\"\n, it's\".\"Odd \"\"name\"\"\n, it's_a.b_check\" is missing",
              "function \"Do it\"(text) is not in the migrations"});
}
