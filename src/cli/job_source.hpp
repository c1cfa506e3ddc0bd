#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <vector>

#include "cli/handler_process.hpp"
#include "cli/operated.hpp"

namespace cli {

/// A message, or an event of a cooperative consumer, that was claimed.
struct job {
  std::int64_t id = 0;     // of the message, or the event's offset
  std::int64_t batch = 0;  // of the event
  int attempt = 0;
  std::string at{};  // enqueued or published, in UTC
  std::string payload{};
  std::optional<std::string> headers{};  // of a queue with headers: a JSON object, or null
};

/// Where jobs come from and how they end, for a queue and for a cooperative consumer of a stream alike. The functions
/// of the database that take JSON do it, so that no header and no contract has to be known here.
class job_source {
 public:
  /// `contract`: which one payloads have; without it the oldest that is live. `with_results`: jobs end with one. Throws
  /// failure.
  job_source(operated_schema& in, operated_target from, std::optional<int> contract, std::chrono::microseconds lease,
             bool with_results = false);

  std::vector<job> claim(quern::connection& db, int count) const;

  /// False: the attempt is no longer the current one.
  bool ack(quern::connection& db, const job& one) const;

  /// With a result, a text that the database reads as JSON: throws quern::error when it is none, see
  /// quern::is_bad_result().
  bool ack(quern::connection& db, const job& one, const std::string& result) const;

  bool release(quern::connection& db, const job& one) const;
  bool extend(quern::connection& db, const job& one) const;

  /// `retry`, `dead`, `dropped` or `lost`.
  std::string nack(quern::connection& db, const job& one, const std::string& error) const;

  /// In how long something is due, when it is known.
  std::optional<std::chrono::microseconds> next_due(quern::connection& db) const;

  /// Whether there is a message that waits for nothing but room within the limits of its queue. False where this role
  /// may not know them.
  bool is_held_back(quern::connection& db) const;

  /// What the handler finds in its environment.
  environment_variables variables_of(const job& one) const;

  /// `email 17`, `activity/notifier 17`.
  std::string title_of(const job& one) const;

  const std::string& channel() const { return channel_; }
  std::int64_t wake_key() const { return wake_key_; }

 private:
  operated_target from_;
  std::chrono::microseconds lease_;
  std::string channel_;
  std::int64_t wake_key_;
  std::string claim_;
  std::string ack_;
  std::string ack_result_;
  std::string nack_;
  std::string release_;
  std::string extend_;
  std::string next_due_;
  std::string held_back_;  // empty where there are no limits
};

}  // namespace cli
