#include <fmt/format.h>

#include <regex>

#include "queue/workshop.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

/// Pages that the statement has touched, nested statements included.
int pages(test::session& with, std::string_view sql) {
  const auto plan = with.ask(fmt::format("explain (analyze, buffers, timing off, summary off) {}", sql));
  // The first line with buffers belongs to the topmost node.
  int sum = 0;
  const auto buffers = plan.substr(0, plan.find("Planning:"));
  const auto first = buffers.find("Buffers: shared ");
  if (first == std::string::npos) return 0;
  const auto line = buffers.substr(first, buffers.find('\n', first) - first);
  const std::regex number{"(hit|read)=([0-9]+)"};
  for (std::sregex_iterator it{line.begin(), line.end(), number}, end; it != end; ++it) sum += std::stoi((*it)[2]);
  return sum;
}

/// The plans of all statements inside of functions that mention the table, as auto_explain reports them.
class observed_plans {
 public:
  explicit observed_plans(test::session& of) : of_{of} {
    of.ask(
        "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; "
        "set auto_explain.log_level = notice; set client_min_messages = notice");
    of.connection().on_notice([this](const quern::notice& said) { plans_ += fmt::format("{}\n", said.message); });
  }

  ~observed_plans() { of_.connection().on_notice({}); }

  observed_plans(const observed_plans&) = delete;
  observed_plans& operator=(const observed_plans&) = delete;

  const std::string& text() const { return plans_; }

 private:
  test::session& of_;
  std::string plans_;
};

void fill(test::workshop& here, int count) {
  here.db.ask(fmt::format("select mail_enqueue_many_v1(array(select 'x' from generate_series(1, {})))", count));
}

void use_everything(test::session& with) {
  for (int i = 0; i < 2; ++i) {
    auto held = with.receive(10);
    if (held.empty()) held.push_back({1, 1, "x"});
    with.fail(held.back(), "1 ms");
    with.release(held.front());
    with.extend(held.front());
    with.ack(held.front());
    with.ack_many(held);
    with.take(2);
    with.ask("select mail_attempt(1)");
  }
}

/// What autovacuum finds in a queue that has been drained: a plan made now takes a scan of all of it to cost nothing.
void empty_in_statistics(test::workshop& here) {
  for (const auto* table : {"mail_message", "mail_delayed"}) {
    here.db.ask(fmt::format("alter table {} set (autovacuum_enabled = off)", table));
    here.db.ask(fmt::format("vacuum analyze {}", table));
  }
}

}  // namespace

TEST_CASE("claims, retries and acknowledgements use the primary key, also with plans made while the table was empty") {
  test::workshop here;
  empty_in_statistics(here);
  auto early = here.open();
  use_everything(early);
  for (const int size : {0, 100, 100000}) {
    INFO(size);
    if (size > 0) fill(here, size);
    auto late = here.open();
    for (auto* each : {&early, &late}) {
      const observed_plans seen{*each};
      here.make_sweep_due();
      use_everything(*each);
      CHECK_THAT(seen.text(), test::contains("Index Scan using mail_message_key on mail_message"));
      CHECK_THAT(seen.text(), !test::contains("Seq Scan on mail_message"));
      CHECK_THAT(seen.text(), !test::contains("Seq Scan on mail_delayed"));
      CHECK_THAT(seen.text(), !test::contains("Sort Key: m"));
    }
  }
}

TEST_CASE("a claim and its acknowledgement touch as few pages in a large table as in a small one") {
  test::workshop here;
  here.db.ask("alter table mail_message set (autovacuum_enabled = off)");
  auto early = here.open();
  CHECK(early.receive(1).empty());
  CHECK_FALSE(early.ack({1, 1, ""}));
  early.ack_many({{1, 1, ""}});
  fill(here, 100000);
  auto late = here.open();
  for (auto* each : {&early, &late}) {
    // What is cached on first use does not count.
    here.make_sweep_due();
    each->ack_many(each->receive(1));
    each->ack(each->receive_one());
    here.make_sweep_due();
    CHECK(pages(*each, "select mail_claim_v1(10)") < 400);
    CHECK(pages(*each, "select mail_claim_v1(1)") < 200);
    const auto held = each->receive(3);
    CHECK(pages(*each, fmt::format("select mail_ack({}, 1)", held[0].id)) < 20);
    CHECK(pages(*each, fmt::format("select mail_ack_many('{{{},{}}}', '{{1,1}}')", held[1].id, held[2].id)) < 40);
  }
}

TEST_CASE("messages that are leased at the head of a large queue are not passed over again and again") {
  test::workshop here;
  fill(here, 30000);
  CHECK(here.db.receive(29000, "1 h").size() == 29000);
  CHECK(here.db.receive(1).size() == 1);
  here.db.ask("select setval('mail_v1_swept_at', floor(extract(epoch from clock_timestamp()) * 1000)::bigint)");
  CHECK(pages(here.db, "select mail_claim_v1(1)") < 200);
}

TEST_CASE("delayed messages do not stand in the way of a claim") {
  test::workshop here;
  here.db.ask("select mail_enqueue_many_v1(array(select 'x' from generate_series(1, 20000)), '1 h')");
  here.db.send("a");
  here.db.receive(1);
  here.db.send("b");
  CHECK(pages(here.db, "select mail_claim_v1(1)") < 200);
}

TEST_CASE("claims are heap-only updates") {
  test::workshop here;
  fill(here, 2000);
  {
    // Its statistics are complete when the session has ended.
    auto worker = here.open();
    for (int i = 0; i < 20; ++i) {
      auto held = worker.receive(100);
      CHECK(held.size() == 100);
      for (int j = 0; j < 10; ++j) worker.extend(held[static_cast<std::size_t>(j)]);
      for (int j = 0; j < 10; ++j) worker.release(held[static_cast<std::size_t>(j)]);
      worker.ack_many(held);
    }
  }
  const auto table = fmt::format("from pg_stat_user_tables where relid = '{}.mail_message'::regclass", here.schema());
  test::wait_until(here.url(), fmt::format("select n_tup_upd >= 2400 {}", table));
  CHECK(here.db.ask(fmt::format("select n_tup_hot_upd >= n_tup_upd * 0.95 {}", table)) == "t");
}

TEST_CASE("no index of the messages holds a column that a claim changes, and there is none but the primary key") {
  test::workshop here;
  CHECK(here.db.ask("select indexrelid::regclass, indkey from pg_index where indrelid = 'mail_message'::regclass") ==
        "mail_message_key|1");
  CHECK(here.db.ask("select attname from pg_attribute where attrelid = 'mail_message'::regclass and attnum = 1") ==
        "message_id");
}

TEST_CASE("the functions that handle messages plan once for all calls") {
  test::workshop here;
  CHECK(here.db.ask(fmt::format(R"(
    select string_agg(p.proname, ' ' order by p.proname)
    from pg_proc as p
    where p.pronamespace = '{}'::regnamespace
      and 'plan_cache_mode=force_generic_plan' = any (p.proconfig)
  )",
                                here.schema())) ==
        "mail_ack_many mail_advance_low_water mail_claim_v1 mail_free_dead mail_take_v1");
}

// A compiler for expressions is worth its while from a cost on that an estimate without statistics soon has: 200 ms
// were spent on a claim of 5.
TEST_CASE("whatever reads is not compiled, however much a plan is thought to cost") {
  test::workshop here{R"(
[queues.mail]
keep_done   = "1h"
ordered_by  = "body"
concurrency = { queue = 9 }
expires     = "1h"
[queues.mail.payload]
body = { type = "text", max_length = 100 }
[queues.urgent]
priorities = 2
[queues.urgent.payload]
body = "text"
[queues.bulk]
storage = "log"
[queues.bulk.payload]
body = "text"
[streams.log]
[streams.log.payload]
body = { type = "text", max_length = 100 }
[streams.log.consumers.crew]
workers    = "cooperative"
ordered_by = "body"
where      = "body <> 'x'"
)"};
  const auto which = fmt::format(
      "from pg_proc where pronamespace = '{}'::regnamespace and prosecdef and proname !~ "
      "'_(enqueue|publish)(_|$)|_wake|_(hold|free)_key$|quern_(handshake|note_client|worker_beat)$' ",
      here.schema());
  CHECK(std::stoi(here.db.ask("select count(*) " + which)) > 60);
  CHECK(here.db.ask("select string_agg(proname, ' ') " + which + "and 'jit=off' <> all (proconfig)") == "null");
}
