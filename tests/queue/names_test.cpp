#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace {

/// Once through everything that names a field, with one text for each.
void live_through(test::workshop& here, const std::string& queue, const std::vector<std::string>& fields) {
  INFO(queue);
  std::string values;
  std::string arrays;
  std::string columns;
  std::string expected;
  std::string json;
  for (const auto& name : fields) {
    const std::string comma = values.empty() ? "" : ", ";
    values += fmt::format("{}'value of {}'", comma, name);
    arrays += fmt::format("{}array['value of {}']", comma, name);
    columns += fmt::format("{}\"{}\"", comma, name);
    json += fmt::format("{}\"{}\": \"value of {}\"", comma, name, name);
    expected += fmt::format("{}value of {}", values.size() > 0 && !expected.empty() ? "|" : "", name);
  }
  auto& db = here.db;
  db.ask(fmt::format("select {}_enqueue_v1({})", queue, values));
  db.ask(fmt::format("select {}_enqueue_v1({}, p_delay => '1 h')", queue, values));
  db.ask(fmt::format("select {}_enqueue_many_v1({})", queue, arrays));
  db.ask(fmt::format("select {}_enqueue_many_v1({}, p_delay => '1 h')", queue, arrays));
  db.ask(fmt::format("select queue_enqueue('{}', '{{{}}}')", queue, json));
  CHECK(here.counts(queue) == "3|2|0|0");

  CHECK(db.ask(fmt::format("select {} from {}_claim_v1(1)", columns, queue)) == expected);
  const auto as_json = db.ask(fmt::format("select jsonb '{{{}}}'", json));
  CHECK(db.ask(fmt::format("select payload from queue_dequeue('{}')", queue)) == as_json);
  CHECK(db.ask(fmt::format("select distinct payload from \"{}\"", queue)) == as_json);
  CHECK(db.ask(fmt::format("select {} from {}_take_v1(1)", columns, queue)) == expected);
  here.advance(std::chrono::hours{2}, queue);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    db.ask(fmt::format("select {0}_nack(message_id, attempt, 'x', '0') from {0}_claim_v1(9)", queue));
    CHECK(db.ask(fmt::format("select distinct {} from {}_delayed", columns, queue)) == expected);
  }
  db.ask(fmt::format("select {0}_nack(message_id, attempt, 'x', '0') from {0}_claim_v1(9)", queue));
  here.advance(std::chrono::hours{2}, queue);
  db.ask(fmt::format("select {0}_nack(message_id, attempt, 'x', '0') from {0}_claim_v1(9)", queue));
  CHECK(db.ask(fmt::format("select distinct {} from {}_dead", columns, queue)) == expected);
  CHECK(db.ask(fmt::format("select {}_redrive_all()", queue)) == "4");
  CHECK(db.ask(fmt::format("select distinct {} from {}_take_v1(9)", columns, queue)) == expected);
  CHECK(here.contents(queue).empty());
}

std::string declared(const std::string& queue, const std::vector<std::string>& fields) {
  std::string text = fmt::format("[queues.{0}]\nretry = {{ max_attempts = 3 }}\n[queues.{0}.payload]\n", queue);
  for (const auto& name : fields) text += fmt::format("{} = \"text\"\n", name);
  return text;
}

}  // namespace

TEST_CASE("queues and fields may be named by words that PostgreSQL reserves") {
  const std::vector<std::string> names{"order", "select", "table",  "end",    "all",   "analyze", "array",  "column",
                                       "from",  "limit",  "offset", "when",   "desc",  "primary", "window", "null",
                                       "grant", "to",     "with",   "having", "group", "in",      "row"};
  std::string text;
  for (const auto* queue : {"order", "select", "table", "group"}) text += declared(queue, names);
  test::workshop here{text};
  for (const auto* queue : {"order", "select", "table", "group"}) live_through(here, queue, names);
}

TEST_CASE("fields may have the names that the functions use within") {
  const std::vector<std::string> names{
      "a",  "c",      "d",          "e",     "f",     "m",         "n",       "p",          "q",       "r",
      "t",  "added",  "ended",      "value", "place", "fresh_ids", "due_ids", "failed",     "revived", "queue",
      "id", "status", "created_at", "old",   "found", "rank",      "key",     "ended_late", "tg_op",   "number"};
  test::workshop here{declared("mail", names)};
  live_through(here, "mail", names);
}

TEST_CASE("fields may have the names that the functions of a queue with priorities use within") {
  const std::vector<std::string> names{"c", "d", "m", "r", "due", "fresh", "level", "found", "order", "row", "rank"};
  auto text = declared("mail", names);
  text.insert(text.find("retry"), "priorities = 2\n");
  test::workshop here{text};
  live_through(here, "mail", names);
}

TEST_CASE("a payload of ninety fields works") {
  std::vector<std::string> names;
  for (int i = 1; i <= 90; ++i) names.push_back(fmt::format("field_{}", i));
  test::workshop here{declared("mail", names)};
  live_through(here, "mail", names);
}

TEST_CASE("names as long as they may be work and stay apart") {
  const std::vector<std::string> names{std::string(20, 'x') + "_a", std::string(20, 'x') + "_b"};
  const std::string queue(29, 'q');
  std::string text = declared(queue, names);
  for (const auto& name : names) {
    const auto plain = fmt::format("{} = \"text\"", name);
    text.replace(text.find(plain), plain.size(), fmt::format("{} = {{ type = \"text\", max_length = 60 }}", name));
  }
  test::workshop here{text};
  live_through(here, queue, names);
  CHECK(here.db.ask(fmt::format("select count(distinct conname) from pg_constraint where contype = 'c' "
                                "and conrelid = '{}_message'::regclass",
                                queue)) == "3");
}
