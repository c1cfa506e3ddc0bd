// What contracts of a stream do with each other's events, tried out on a server, and what hooks break of it.

#include <string>
#include <string_view>
#include <vector>

#include "check/made_project.hpp"
#include "check/tryout.hpp"
#include "support/catch.hpp"

namespace {

using words = std::vector<std::string>;

const std::string journal_v1 = R"([project]
name = "shop"

[streams.journal]
grants = { produce = ["web"], consume = ["mailer"], operate = ["ops"] }
[streams.journal.consumers.audit]
[streams.journal.payload]
order_id = "int32"
note = "text?"
)";

/// Reads as a consumer of v1 does, with something else in place of the payload or behind the query.
std::string read_that_gives(const std::string& payload, const std::string& rest) {
  return R"(create or replace function shop.journal_read_json_v1(p_after bigint, p_count integer default 100)
returns table (event_offset bigint, published_at timestamptz, payload jsonb)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select r.event_offset, r.published_at, )" +
         payload + "\n  from shop.journal_read_v1(p_after, p_count) as r" + rest + ";\nend;\n";
}

words findings_with(const std::string& hook) {
  const test::made_project project{journal_v1};
  project.write("migrations/journal/hooks/0001_after.sql", hook);
  return test::try_out(project, {check::name::server_contracts}).findings;
}

words for_each_sample(const std::string& before, const std::string& behind) {
  words result;
  for (const auto* sample : {"extreme 1", "extreme 2", "minimal", "typical"})
    result.push_back("migrations/journal/hooks/0001_after.sql: journal/0001_create, step after: " + before + " (" +
                     sample + ")" + behind);
  return result;
}

}  // namespace

TEST_CASE("a server finds nothing in a project whose stream has grown") {
  const test::made_project project{journal_v1};
  std::string journal_v2 = journal_v1;
  journal_v2.replace(journal_v2.find("int32"), 5, "int64");
  project.generate(journal_v2 + "tags = \"text[]?\"\n");
  CHECK(test::try_out(project).findings == words{});
}

TEST_CASE("a read that loses a field is misread by the readers of its contract") {
  CHECK(findings_with(read_that_gives("jsonb_build_object('note', r.note)", "")) ==
        for_each_sample("a consumer of v1 misreads \"order_id\" of a message of v1",
                        ": it has no value [server_contract_misread]"));
}

TEST_CASE("a read that shows no event loses all of them") {
  CHECK(findings_with(read_that_gives("to_jsonb(r) - '{event_offset,published_at}'::text[]", " where false")) ==
        for_each_sample("an event of v1", " is not read by consumers of v1, nor by its own [server_contract_lost]"));
}

TEST_CASE("a read that shows an event twice is told of") {
  CHECK(findings_with(read_that_gives("to_jsonb(r) - '{event_offset,published_at}'::text[]",
                                      " union all select 4711, pg_catalog.now(), '{\"order_id\": 1}'"))
            .size() == 4);
}
