#pragma once

#include <string>
#include <string_view>

#include "stream/journal.hpp"

namespace test {

/// A stream `log` as log_stream with a third consumer, `crew`: cooperative, a lease of one minute, three attempts with
/// ten seconds between them.
extern const std::string_view shared_stream;

/// One of the workers of a cooperative consumer, in a session of its own.
class hand {
 public:
  explicit hand(session with, std::string_view consumer = "crew") : consumer_{consumer}, db{std::move(with)} {}

  /// The offsets that it gets: `1 2 3`. Its verbs go on about this claim.
  std::string claim(int count = 1000, std::string_view lease = {});

  /// The same with the attempt of each: `1|1 2|1`.
  std::string claim_attempts(int count = 1000);

  std::string claiming(int count = 1000) const;

  /// What the server answers about the claim.
  std::string ack() { return db.ask(acking()); }
  std::string ack(std::int64_t offset) { return db.ask(acking(offset)); }
  std::string acking() const { return fmt::format("select log_ack('{}', {})", consumer_, batch); }
  std::string acking(std::int64_t offset) const {
    return fmt::format("select log_ack('{}', {}, {})", consumer_, batch, offset);
  }
  std::string nack(std::int64_t offset, std::string_view error = "failed") { return db.ask(nacking(offset, error)); }
  std::string nacking(std::int64_t offset, std::string_view error = "failed") const {
    return fmt::format("select log_nack('{}', {}, {}, '{}')", consumer_, batch, offset, error);
  }
  std::string extend() { return db.ask(fmt::format("select log_extend('{}', {}) > now()", consumer_, batch)); }
  std::string release() { return db.ask(fmt::format("select log_release('{}', {})", consumer_, batch)); }

 private:
  std::string consumer_;

 public:
  session db;
  std::string batch = "null";
};

/// A journal whose third consumer many work for.
class crew : public journal {
 public:
  explicit crew(const std::string& url = shared_url()) : journal{shared_stream, url} {}

  hand hire(std::string_view consumer = "crew") { return hand{open(), consumer}; }

  /// One that is missed as soon as its session ends.
  hand enlist() {
    auto made = hire();
    made.db.ask("select log_enlist()");
    return made;
  }

  /// Publishes that many events, each with its number.
  void fill(int count);

  /// Makes leases run out, and failed events due, by that much earlier.
  void pass(std::chrono::seconds time);

  /// `up_to|claims|retries|dead`
  std::string state(std::string_view consumer = "crew");

  /// Ends a session as the death of its process does, and waits until the server knows.
  void kill(hand& whom);
};

}  // namespace test
