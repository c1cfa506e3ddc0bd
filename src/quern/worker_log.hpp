#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace quern {

/// One thing that a worker did, with what is known of it, for logs that machines read.
struct log_record {
  using value = std::variant<std::int64_t, std::string>;

  /// "claimed", "failed", "lost", "released", "waiting", "disconnected", "hindered" (refused for a passing reason),
  /// "reconnected", "heartbeat_failed" or "stopped".
  std::string_view event;
  /// The queue or stream, and of a stream the consumer.
  std::string_view queue;
  std::string_view consumer;
  std::vector<std::pair<std::string_view, value>> values{};
};

/// `event=failed queue=email message_id=7 error="no such user"`: one line, without its end. Texts are quoted where they
/// have anything but letters, digits and `_-.:/`, with quotes, backslashes and line ends escaped.
std::string to_text(const log_record& record);

/// The same as a JSON object on one line. What is no UTF-8 is replaced.
std::string to_json(const log_record& record);

}  // namespace quern
