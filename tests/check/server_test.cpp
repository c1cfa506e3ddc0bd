// What a server says of a project: nothing of a good one, and exactly the planted defect of another.

#include <string>
#include <utility>

#include "check/made_project.hpp"
#include "check/tryout.hpp"
#include "migrate/parse.hpp"
#include "support/catch.hpp"

namespace {

using words = std::vector<std::string>;

const std::string head = "[project]\nname = \"shop\"\n\n[enums.channel]\nvalues = [\"email\", \"sms\"]\n";

const std::string email_v1 = head + R"(
[queues.email]
grants = { produce = ["web"], consume = ["mailer"], operate = ["ops"] }
[queues.email.payload]
order_id = "int64"
channel = { type = "channel", default = "email" }
note = "text?"
)";

const std::string email_v2 = email_v1 + "tags = \"text[]?\"\n";

/// A hook of the newest migration.
const std::string hook = "migrations/email/hooks/0001_after.sql";

words findings_with(const std::string& sql, std::vector<std::string_view> only) {
  const test::made_project project{email_v1};
  project.write(hook, sql);
  return test::try_out(project, std::move(only)).findings;
}

/// Replaces the claim as JSON by one with something behind its query.
std::string claim_that_ends_in(const std::string& rest) {
  return R"(create or replace function shop.email_claim_json_v1(p_count integer default 1, p_lease interval default null)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select c.message_id, c.attempt, c.enqueued_at, to_jsonb(c) - '{message_id,attempt,enqueued_at}'::text[]
  from shop.email_claim_v1(p_count, p_lease) as c
)" + rest +
         ";\nend;\n";
}

}  // namespace

TEST_CASE("a server finds nothing in a project whose contract has grown") {
  const test::made_project project{email_v1};
  project.generate(email_v2);
  const auto made = test::try_out(project);
  CHECK(made.findings == words{});
  CHECK(made.checks == std::vector<std::string_view>{"server_install", "server_locks", "server_grants",
                                                     "server_upgrade", "server_rollback", "server_kill",
                                                     "server_runners", "server_contracts"});
  CHECK(made.notes == words{});
}

TEST_CASE("a server finds nothing in a project whose queue has got priorities") {
  const test::made_project project{email_v1};
  std::string with_priorities = email_v1;
  with_priorities.insert(with_priorities.find("grants"), "priorities = 3\n");
  project.generate(with_priorities);
  CHECK(test::try_out(project).findings == words{});
}

TEST_CASE("a server finds nothing in a project whose queue has become ordered") {
  const test::made_project project{email_v1};
  std::string ordered = email_v1;
  ordered.insert(ordered.find("grants"), "ordered_by = \"order_id\"\n");
  project.generate(ordered);
  CHECK(test::try_out(project).findings == words{});
}

TEST_CASE("a step that fails on an empty database is named, and nothing else is tried") {
  CHECK(findings_with("update shop.customer set name = '' where name is null;\n", {}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: does not apply to an empty "
              "database: relation \"shop.customer\" does not exist [server_install_fails]"});
}

TEST_CASE("a column that only a hook adds is not in the definitions") {
  CHECK(findings_with("alter table shop.email_message add column extra text;\n", {check::name::server_upgrade}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: what the migrations make is not "
              "what generated/sql says: column email_message.extra is not in the migrations "
              "[server_differs_from_definition]"});
}

TEST_CASE("what hooks add beside the tables of quern is theirs") {
  CHECK(findings_with("create table shop.sender (name text);\ngrant select on shop.sender to web;\n"
                      "create index sender_name on shop.sender (name);\n",
                      {check::name::server_upgrade, check::name::server_grants}) == words{});
}

TEST_CASE("a step that takes a stronger lock than its words say is named with the lock") {
  const std::string step =
      "-- step: lock\n-- lock: none\n-- lock_timeout: 1s\n-- statement_timeout: 1s\n"
      "-- transaction: yes\n\nlock table shop.email_message in ";
  CHECK(findings_with(step + "share mode;\n", {check::name::server_locks}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step lock: declares `none`, and takes "
              "ShareLock on shop.email_message [server_lock_undeclared]"});
  CHECK(findings_with(step + "share update exclusive mode;\n", {check::name::server_locks}) == words{});
}

TEST_CASE("a grant too many and one too few are found in the rights that the server knows") {
  CHECK(findings_with("grant select on shop.email_message to web;\n"
                      "grant execute on function shop.email_ack to public;\n"
                      "revoke execute on function shop.email_nack from mailer;\n",
                      {check::name::server_grants}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: public is granted EXECUTE on "
              "function email_ack, which no part of the declaration gives it [server_grant_excess]",
              "migrations/email/hooks/0001_after.sql: email/0001_create, step after: web is granted SELECT on table "
              "email_message, which no part of the declaration gives it [server_grant_excess]",
              "migrations/email/hooks/0001_after.sql: email/0001_create, step after: mailer is granted no EXECUTE on "
              "function email_nack, and its part needs it [server_grant_missing]"});
}

TEST_CASE("a hook that needs what another line makes later breaks the upgrade from release to release") {
  const test::made_project project{email_v1 + "\n[queues.sms]\npayload = \"jsonb\"\n"};
  project.generate(email_v2 + "\n[queues.sms]\npayload = \"jsonb\"\n");
  project.write("migrations/sms/hooks/0001_after.sql",
                "create view shop.tagged as select tags from shop.email_message;\n");
  CHECK(test::try_out(project, {check::name::server_upgrade}).findings ==
        words{"migrations/sms/hooks/0001_after.sql: sms/0001_create, step after: does not apply when upgrading from "
              "release to release: column \"tags\" does not exist [server_upgrade_fails]"});
}

TEST_CASE("a reverse that forgets a column does not leave what was there before") {
  const test::made_project project{email_v1};
  project.generate(email_v2);
  const std::string file = "migrations/email/0002_expand_v2.sql";
  const std::string before = project.read(file);
  std::string forgetful = before;
  const auto reverse = forgetful.find("drop column tags");
  REQUIRE(reverse != std::string::npos);
  forgetful.replace(reverse, 16, "alter column tags drop not null");
  project.write(file, forgetful);
  std::string lock = project.read("migrations/quern.lock");
  lock.replace(lock.find(migrate::sha256(before)), 64, migrate::sha256(forgetful));
  project.write("migrations/quern.lock", lock);
  CHECK(test::try_out(project, {check::name::server_rollback}).findings ==
        words{"migrations/email/0002_expand_v2.sql: email/0002_expand_v2, step columns: taking it back does not leave "
              "what was there before: column email_message.tags is not in the migrations [server_rollback_differs]",
              "migrations/email/0002_expand_v2.sql: email/0002_expand_v2, step columns: does not apply in its place, "
              "or not again: column \"tags\" of relation \"email_message\" already exists [server_rollback_fails]"});
}

TEST_CASE("a step outside of a transaction without a cleanup cannot go on after a kill") {
  CHECK(findings_with("-- step: index\n-- lock: share update exclusive on shop.email_message\n-- lock_timeout: 0\n"
                      "-- statement_timeout: 0\n-- transaction: no\n\n"
                      "create index concurrently email_note on shop.email_message (note);\n",
                      {check::name::server_kill}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step index: after the runner died when all "
              "was done and the ledger did not know, nobody can go on: relation \"email_note\" already exists "
              "[server_kill_fails]"});
}

TEST_CASE("a step that is taken for done after a kill makes something else") {
  const std::string sql =
      "-- step: table\n-- lock: none\n-- lock_timeout: 0\n-- statement_timeout: 0\n-- transaction: no\n\n"
      "do $$ begin create sequence if not exists shop.tries; perform nextval('shop.tries'); end $$;\n"
      "do $$ begin if (select last_value from shop.tries) > 1 then create table if not exists shop.twice (); end if; "
      "end $$;\n";
  CHECK(findings_with(sql, {check::name::server_kill}) ==
        words{"migrations/email/hooks/0001_after.sql: email/0001_create, step table: after the runner died when all "
              "was done and the ledger did not know, the next one makes something else: table twice is not in the "
              "migrations [server_kill_differs]"});
}

TEST_CASE("a step that waits for others while it holds a snapshot gets in the way of an index build") {
  const test::made_project project{email_v1};
  project.write("migrations/core/hooks/0001_before.sql",
                "-- step: wait\n-- lock: none\n-- lock_timeout: 0\n-- statement_timeout: 1s\n-- transaction: yes\n\n"
                "do $$ begin\n  while exists (select from pg_stat_activity where datname = current_database()\n"
                "    and query like 'create index concurrently%') loop perform pg_sleep(0.01); end loop;\nend $$;\n");
  CHECK(test::try_out(project, {check::name::server_runners}).findings ==
        words{"migrations/core/0001_create.sql: core/0001_create: one of two runners fails: canceling statement due to "
              "statement timeout [server_runners_collide]"});
}

TEST_CASE("a claim that loses a field is misread by every consumer of its contract") {
  const auto found = findings_with(
      R"(create or replace function shop.email_claim_json_v1(p_count integer default 1, p_lease interval default null)
returns table (message_id bigint, attempt integer, enqueued_at timestamptz, payload jsonb)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select c.message_id, c.attempt, c.enqueued_at, to_jsonb(c) - 'order_id'
  from shop.email_claim_v1(p_count, p_lease) as c;
end;
)",
      {check::name::server_contracts});
  words expected;
  for (const auto* sample : {"extreme 1", "extreme 2", "minimal", "typical"})
    expected.push_back(
        std::string{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: a consumer of "
                    "v1 misreads \"order_id\" of a message of v1 ("} +
        sample + "): it has no value [server_contract_misread]");
  CHECK(found == expected);
}

TEST_CASE("a claim that hands nothing out loses every message") {
  const auto found = findings_with(claim_that_ends_in("where false"), {check::name::server_contracts});
  words expected;
  for (const auto* sample : {"extreme 1", "extreme 2", "minimal", "typical"})
    expected.push_back(
        std::string{"migrations/email/hooks/0001_after.sql: email/0001_create, step after: a message of v1 ("} +
        sample + ") is left alone by consumers of v1, and nobody else can claim it [server_contract_lost]");
  CHECK(found == expected);
}

TEST_CASE("a claim that hands out what it never claimed is told of") {
  // To those who come first, and to those who wrote what these have left.
  const std::string told =
      "migrations/email/hooks/0001_after.sql: email/0001_create, step after: message 4711 is handed out to consumers "
      "of "
      "v1 a second time [server_contract_twice]";
  CHECK(findings_with(claim_that_ends_in("union all select 4711, 1, pg_catalog.now(), '{\"order_id\": 1}'"),
                      {check::name::server_contracts}) == words{told, told});
}

TEST_CASE("a constraint that is tighter than the contract refuses a producer's payload") {
  const auto found = findings_with("alter table shop.email_message add constraint small check (order_id < 1000000);\n",
                                   {check::name::server_contracts});
  REQUIRE(found.size() == 1);
  CHECK_THAT(
      found.front(),
      test::starts_with("migrations/email/hooks/0001_after.sql: email/0001_create, step after: a producer of v1 is "
                        "refused its payload (extreme 2): new row for relation \"email_message\" violates check "
                        "constraint \"small\" (SQLSTATE 23514)\n"));
  CHECK_THAT(found.front(), test::ends_with(" [server_contract_call_fails]"));
}

TEST_CASE("a hook that looks at what other lines have done makes two kinds of databases") {
  const test::made_project project{email_v1 + "\n[queues.sms]\npayload = \"jsonb\"\n"};
  project.generate(email_v2 + "\n[queues.sms]\npayload = \"jsonb\"\n");
  project.write("migrations/sms/hooks/0001_after.sql",
                "do $$ begin if exists (select from pg_catalog.pg_attribute where attrelid = "
                "'shop.email_message'::regclass and attname = 'tags') then create table shop.tagged (); end if; end "
                "$$;\n");
  CHECK(
      test::try_out(project, {check::name::server_upgrade}).findings ==
      words{
          "migrations/core/0001_create.sql: core/0001_create: an upgrade from release to release does not give what a "
          "new install gives: table tagged is missing [server_upgrade_differs]"});
}

TEST_CASE("a definition that cannot be executed is named with what the server says") {
  const test::made_project project{email_v1};
  const std::string file = "generated/sql/email.sql";
  project.write(file, project.read(file) + "create index on shop.email_message (nothing);\n");
  CHECK(test::try_out(project, {check::name::server_upgrade}).findings ==
        words{"generated/sql/email.sql: the definition cannot be executed: column \"nothing\" does not exist "
              "(SQLSTATE 42703) [server_definition_fails]"});
}
