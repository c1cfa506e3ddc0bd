#include "stream/team.hpp"

#include "support/database.hpp"

namespace test {

const std::string_view team_stream = R"(
[streams.log]
retention = "1h"
grants    = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[streams.log.payload]
body = "text"
who  = "text?"
[streams.log.consumers.crew]
workers    = "cooperative"
lease      = "1m"
retry      = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
ordered_by = "who"
[streams.log.consumers.loose]
workers    = "cooperative"
lease      = "1m"
retry      = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
ordered_by = "who"
on_failure = "skip"
[streams.log.consumers.picky]
workers    = "cooperative"
where      = "body like 'b%'"
ordered_by = "who"
[streams.log.consumers.free]
workers    = "cooperative"
lease      = "1m"
)";

void team::say(std::string_view keys) {
  db.ask(fmt::format(
      "select log_publish_many_v1(array_agg(coalesce(k, 'x') || n order by n), array_agg(k order by n)) "
      "from (select nullif(w, '-') as k, n from unnest(string_to_array('{}', ' ')) with ordinality as s (w, "
      "n)) as s",
      keys));
  db.ask("select log_seal()");
}

void team::pass(std::chrono::seconds time) {
  db.ask(
      fmt::format("update log_claim set lease_until = lease_until - interval '{0} s';"
                  "update log_failed set due_at = due_at - interval '{0} s' where due_at < 'infinity'",
                  time.count()));
}

std::string team::state(std::string_view consumer) {
  return db.ask(fmt::format("select up_to, claims, retries, dead from log_lag() where consumer = '{}'", consumer));
}

std::string team::aside(std::string_view consumer) {
  return db.ask(fmt::format(
      "select event_offset, case when dead_at is not null then 'dead' when claim_id is not null then 'held' "
      "when due_at = 'infinity' then 'turn' when due_at > clock_timestamp() then 'retry' else 'now' end "
      "from log_failed where consumer = '{}' order by 1",
      consumer));
}

std::string team::blocked() {
  return db.ask("select consumer, key, event_offset, waiting from log_blocked()");
}

void team::kill(hand& whom) {
  const auto pid = whom.db.pid();
  open().ask(fmt::format("select pg_terminate_backend({})", pid));
  wait_until(url(), fmt::format("select not exists (select from pg_stat_activity where pid = {})", pid));
}

}  // namespace test
