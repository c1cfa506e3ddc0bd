#include "stream/crew.hpp"

#include "support/database.hpp"

namespace test {

const std::string_view shared_stream = R"(
[streams.log]
retention = "1h"
grants    = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[streams.log.payload]
body = "text"
[streams.log.consumers.audit]
[streams.log.consumers.mirror]
[streams.log.consumers.crew]
workers = "cooperative"
lease   = "1m"
retry   = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
)";

std::string hand::claiming(int count) const {
  return fmt::format("select event_offset from log_claim_v1('{}', {})", consumer_, count);
}

std::string hand::claim(int count, std::string_view lease) {
  const auto length = lease.empty() ? std::string{"null"} : fmt::format("'{}'", lease);
  const auto got = db.ask(fmt::format(
      "select string_agg(event_offset::text, ' ' order by event_offset) || '|' || max(batch) || '|' || min(batch) "
      "from log_claim_v1('{}', {}, {})",
      consumer_, count, length));
  if (got == "null") return {};
  const auto first = got.find('|');
  const auto last = got.rfind('|');
  batch = got.substr(last + 1);
  return got.substr(0, first);
}

std::string hand::claim_attempts(int count) {
  db.ask("drop table if exists pg_temp.got");
  db.ask(fmt::format("create temp table got as select * from log_claim_v1('{}', {})", consumer_, count));
  if (const auto id = db.ask("select max(batch) from pg_temp.got"); id != "null") batch = id;
  return db.ask("select event_offset, attempt from pg_temp.got order by 1");
}

void crew::fill(int count) {
  db.ask(fmt::format("select log_publish_many_v1(array(select g::text from generate_series(1, {}) as g))", count));
  db.ask("select log_seal()");
}

void crew::pass(std::chrono::seconds time) {
  db.ask(
      fmt::format("update log_claim set lease_until = lease_until - interval '{0} s';"
                  "update log_failed set due_at = due_at - interval '{0} s'",
                  time.count()));
}

std::string crew::state(std::string_view consumer) {
  return db.ask(fmt::format("select up_to, claims, retries, dead from log_lag() where consumer = '{}'", consumer));
}

void crew::kill(hand& whom) {
  const auto pid = whom.db.pid();
  open().ask(fmt::format("select pg_terminate_backend({})", pid));
  wait_until(url(), fmt::format("select not exists (select from pg_stat_activity where pid = {})", pid));
}

}  // namespace test
