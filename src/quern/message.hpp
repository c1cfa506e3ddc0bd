#pragma once

#include <cstdint>
#include <optional>
#include <quern/json.hpp>
#include <quern/time.hpp>

namespace quern {

/// A message that a consumer has claimed or taken.
template <class Payload>
struct message {
  /// Unique in the project.
  std::int64_t message_id = 0;
  /// How often it was claimed, this time included. With the id it tells whether a claim is still the current one.
  std::int32_t attempt = 0;
  timestamp enqueued_at{};
  /// When others may claim it, by the server's clock; timestamp::max() for one that was taken.
  timestamp lease_until{};
  Payload payload{};

  bool operator==(const message&) const = default;
};

/// The same of a queue with priorities.
template <class Payload>
struct prioritised_message {
  std::int64_t message_id = 0;
  std::int32_t attempt = 0;
  timestamp enqueued_at{};
  timestamp lease_until{};
  /// 0 is handed out first.
  std::int32_t priority = 0;
  Payload payload{};

  bool operator==(const prioritised_message&) const = default;
};

/// The same of a queue with headers.
template <class Payload>
struct message_with_headers {
  std::int64_t message_id = 0;
  std::int32_t attempt = 0;
  timestamp enqueued_at{};
  timestamp lease_until{};
  /// A JSON object that its producer gave it, such as the context of a trace.
  std::optional<json> headers{};
  Payload payload{};

  bool operator==(const message_with_headers&) const = default;
};

/// The same of a queue with both.
template <class Payload>
struct prioritised_message_with_headers {
  std::int64_t message_id = 0;
  std::int32_t attempt = 0;
  timestamp enqueued_at{};
  timestamp lease_until{};
  std::int32_t priority = 0;
  std::optional<json> headers{};
  Payload payload{};

  bool operator==(const prioritised_message_with_headers&) const = default;
};

}  // namespace quern
