// Who leaves the grants of a declaration has nothing left in the database, and who stays keeps all.

#include <cstdint>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

class project {
 public:
  project() {
    for (const auto* role : {"quern_web", "quern_mailer", "quern_ops"}) test::ensure_role(role);
  }

  test::outcome quern(const std::vector<std::string>& words) const {
    return desk_.quern(words, {{"QUERN_DATABASE", database_.url()}});
  }

  std::string run(const std::vector<std::string>& words) const {
    const auto ended = quern(words);
    INFO(ended.out << ended.err);
    REQUIRE(ended.exit_code == 0);
    return ended.out;
  }

  void migrate_to(const std::string& queues) const {
    desk_.write("quern.toml", "[project]\nname = \"shop\"\n" + queues);
    run({"generate"});
    run({"release"});
    run({"migrate"});
  }

  /// The functions of the core and the schema that a role has rights on.
  std::string shared_with(std::string_view role) const {
    return db_
        .execute(R"(
      select coalesce(string_agg(o.name, ' ' order by o.name), '')
      from (
        select p.proname::text from pg_proc as p, aclexplode(p.proacl) as a
        where p.pronamespace = 'shop'::regnamespace and p.proname ~ '^(quern|queue|stream)_' and pg_get_userbyid(a.grantee) = $1
        union all
        select n.nspname || ' ' || lower(a.privilege_type) from pg_namespace as n, aclexplode(n.nspacl) as a
        where n.nspname = 'shop' and pg_get_userbyid(a.grantee) = $1
      ) as o (name))",
                 role)
        .value<std::string>();
  }

  std::int64_t rights_of(std::string_view role) const {
    return db_
        .execute(R"(
      select count(*) from pg_shdepend as d join pg_database as b on b.oid = d.dbid
      where b.datname = current_database() and d.refobjid = $1::regrole)",
                 role)
        .value<std::int64_t>();
  }

 private:
  test::desk desk_;
  test::database database_;
  mutable ::quern::connection db_{database_.url()};
};

/// One of each kind, with all that brings rights of its own.
std::string all_kinds(const std::string& grants) {
  std::string text = "[queues.rows]\nconcurrency = 3\nkeep_done = \"1h\"\nheaders = true\npriorities = 2\n" + grants +
                     "payload = { id = \"int64\" }\n[queues.ordered]\nordered_by = \"id\"\n" + grants +
                     "payload = { id = \"int64\" }\n[queues.log]\nstorage = \"log\"\n" + grants +
                     "payload = \"jsonb\"\n[streams.events]\n" + grants + "payload = { id = \"int64\" }\n";
  return text +
         "[streams.events.consumers.crew]\nworkers = \"cooperative\"\n[schedules.daily]\ncron = \"0 1 * * *\"\n" +
         "queue = \"log\"\npayload = {}\n";
}

std::string queue(const std::string& name, const std::string& grants) {
  return "[queues." + name + "]\ngrants = {" + grants + "}\npayload = \"jsonb\"\n";
}

constexpr std::string_view all_grants =
    "grants = { produce = [\"quern_web\"], consume = [\"quern_mailer\"], operate = [\"quern_ops\"] }\n";

}  // namespace

TEST_CASE("a role that no grant names any more has no right left") {
  const project shop;
  shop.migrate_to(all_kinds(std::string{all_grants}));
  CHECK(shop.shared_with("quern_web") == "quern_handshake queue_enqueue shop usage stream_publish");
  CHECK(shop.shared_with("quern_mailer") ==
        "quern_handshake quern_queue_of quern_worker_beat quern_worker_begin queue_ack queue_dequeue shop usage "
        "stream_consume");
  shop.migrate_to(all_kinds(""));
  CHECK(shop.rights_of("quern_web") == 0);
  CHECK(shop.rights_of("quern_mailer") == 0);
  CHECK(shop.rights_of("quern_ops") == 0);
  CHECK(shop.run({"drift"}) == "no drift\n");
}

TEST_CASE("a role keeps what it shares with others as long as one queue or stream gives it") {
  const project shop;
  shop.migrate_to(queue("email", "produce = ['quern_web'], consume = ['quern_web'], operate = ['quern_ops']") +
                  queue("alpha", "produce = ['quern_web']"));
  shop.migrate_to(queue("email", "produce = ['quern_ops']") + queue("alpha", "produce = ['quern_web']"));
  CHECK(shop.shared_with("quern_web") == "quern_handshake queue_enqueue shop usage");
  CHECK(shop.shared_with("quern_ops") == "quern_handshake queue_enqueue shop usage");
  CHECK(shop.run({"drift"}) == "no drift\n");
}

TEST_CASE("the roles of a queue that is dropped keep nothing that no other one gives") {
  const project shop;
  shop.migrate_to(queue("email", "produce = ['quern_web'], consume = ['quern_mailer']") +
                  queue("parcel", "produce = ['quern_web']"));
  shop.migrate_to("[removed_queues.email]\n" + queue("parcel", "produce = ['quern_web']"));
  CHECK(shop.shared_with("quern_web") == "quern_handshake queue_enqueue shop usage");
  CHECK(shop.rights_of("quern_mailer") == 0);
  CHECK(shop.run({"drift"}) == "no drift\n");
}

TEST_CASE("a new install of rights that came and went has those of a database that saw it all") {
  const project shop;
  const std::string both = "produce = ['quern_web'], consume = ['quern_web']";
  shop.migrate_to(queue("email", both) + queue("alpha", ""));
  shop.migrate_to(queue("email", "") + queue("alpha", ""));
  CHECK(shop.rights_of("quern_web") == 0);
  shop.migrate_to(queue("email", "") + queue("alpha", "produce = ['quern_web']"));
  CHECK(shop.shared_with("quern_web") == "quern_handshake queue_enqueue shop usage");
  CHECK(shop.run({"drift"}) == "no drift\n");
}

TEST_CASE("rolling back a change of grants takes what it gave, and gives what it took") {
  const project shop;
  shop.migrate_to(queue("email", "produce = ['quern_web']"));
  shop.migrate_to(queue("email", "produce = ['quern_ops']"));
  REQUIRE(shop.rights_of("quern_web") == 0);
  shop.run({"rollback", "email"});
  CHECK(shop.shared_with("quern_web") == "quern_handshake queue_enqueue shop usage");
  CHECK(shop.rights_of("quern_ops") == 0);
}
