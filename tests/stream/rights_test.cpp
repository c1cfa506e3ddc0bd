#include "stream/journal.hpp"
#include "support/catch.hpp"

TEST_CASE("a producer publishes and cannot read") {
  test::journal here;
  auto web = here.open("qt_web");
  web.ask("select log_publish_v1('a')");
  web.ask("select log_publish_many_v1(array['b', 'c'])");
  web.ask("select stream_publish('log', '{\"body\": \"d\"}')");
  web.ask("insert into log_event (contract_version, body) values (1, 'e')");
  for (const auto* call : {"log_read_v1(0)", "log_receive_v1('audit')", "log_seal()", "log_ack('audit', 1, 1)",
                           "log_subscribe('x')", "log_maintain()", "stream_consume('log', 0)", "log_restored()"})
    CHECK(web.refusal(fmt::format("select {}", call)).starts_with("42501: permission denied for function"));
  CHECK(web.refusal("select * from log_event") == "42501: permission denied for table log_event");
  CHECK(web.refusal("insert into log_event (contract_version, body, segment) values (1, 'x', 3)") ==
        "42501: permission denied for table log_event");
  CHECK(here.whole() == "a b c d e");
}

TEST_CASE("a consumer reads and cannot publish") {
  test::journal here;
  here.publish("a");
  auto mailer = here.open("qt_mailer");
  CHECK(test::journal::receive(mailer, "audit") == "1|a");
  CHECK(mailer.ask(fmt::format("select log_ack('audit', {}, 1)", here.batch("audit"))) == "1");
  CHECK(mailer.ask("select event_offset from stream_consume('log', 0)") == "1");
  CHECK(mailer.ask("select log_subscribe('mine', 'start'), log_seek('mine', 1)") == "0|1");
  mailer.ask("select log_maintain()");
  for (const auto* call : {"log_publish_v1('x')", "log_unsubscribe('audit')", "log_restored()",
                           "stream_publish('log', '{}')", "log_truncate(0::smallint)", "log_rotate()", "log_compact()"})
    CHECK(mailer.refusal(fmt::format("select {}", call)).starts_with("42501: permission denied for function"));
  CHECK(mailer.refusal("select * from log_event") == "42501: permission denied for table log_event");
  CHECK(mailer.refusal("delete from log_position") == "42501: permission denied for table log_position");
}

TEST_CASE("an operator sees and repairs, and a stranger can do nothing") {
  test::journal here;
  here.publish("a");
  auto ops = here.open("qt_ops");
  CHECK(ops.ask("select log_seal()") == "1");
  CHECK(ops.ask("select last_offset from log_stats()") == "1");
  CHECK(ops.ask("select count(*) from log_event") == "1");
  CHECK(ops.ask("select event_offset from log_read_json(0)") == "1");
  CHECK(ops.ask("select log_restored(), log_unsubscribe('audit')") == "0|t");
  auto stranger = here.open("qt_stranger");
  const auto refused = stranger.refusal("select log_publish_v1('x')");
  CHECK(refused.starts_with("42883:"));  // The schema is not even looked into.
}
