#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "stream/journal.hpp"

namespace test {

inline constexpr std::string_view filtered_stream = R"(
[enums.channel]
values = ["email", "sms"]
[streams.log]
retention = "1h"
grants    = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[streams.log.payload]
body    = "text"
channel = "channel?"
amount  = "int32?"
[streams.log.consumers.all]
[streams.log.consumers.b]
where   = "body like 'b%'"
[streams.log.consumers.sms]
where   = "channel = 'sms'"
[streams.log.consumers.crew]
where   = "body like 'b%'"
workers = "cooperative"
lease   = "1m"
retry   = { max_attempts = 2, backoff = "constant", initial = "10s", jitter = 0 }
)";

/// A stream with consumers that have filters, and one that has none.
class sieve : public journal {
 public:
  sieve() : journal{filtered_stream} {}

  /// Publishes texts: `a b a`; each gets its offset.
  void say(std::string_view bodies) {
    db.ask(fmt::format("select log_publish_many_v1(string_to_array('{}', ' '))", bodies));
    db.ask("select log_seal()");
  }

  /// Many events `a`, with a `b` at every so many.
  void fill(int count, int every = 1'000'000'000) {
    db.ask(
        fmt::format("select log_publish_many_v1(array(select case when g % {1} = 0 then 'b' else 'a' end || g "
                    "from generate_series(1, {0}) as g))",
                    count, every));
    db.ask("select log_seal()");
  }

  std::string get(std::string_view consumer = "b", int count = 1000) { return receive(consumer, count); }

  /// `offset|attempt …`, and notes the claim.
  std::string claim(session& with, int count = 1000) {
    const auto got = with.ask(
        fmt::format("select string_agg(event_offset || ':' || attempt, ' ' order by event_offset) || '|' || max(batch) "
                    "from log_claim_v1('crew', {})",
                    count));
    if (got == "null") return {};
    const auto end = got.find('|');
    claim_id = got.substr(end + 1);
    return got.substr(0, end);
  }

  std::string claim(int count = 1000) { return claim(db, count); }

  std::string end(std::string_view call) { return db.ask(fmt::format("select log_{}", call)); }

  std::string ack_claim(std::int64_t offset) { return end(fmt::format("ack('crew', {}, {})", claim_id, offset)); }

  void pass(int seconds) {
    db.ask(
        fmt::format("update log_claim set lease_until = lease_until - interval '{0} s';"
                    "update log_failed set due_at = due_at - interval '{0} s'",
                    seconds));
  }

  /// `up_to|behind|claims|retries|dead`
  std::string state(std::string_view consumer) {
    return db.ask(
        fmt::format("select up_to, behind, claims, retries, dead from log_lag() where consumer = '{}'", consumer));
  }

  std::string claim_id = "null";
};

}  // namespace test
