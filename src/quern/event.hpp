#pragma once

#include <cstdint>
#include <quern/time.hpp>

namespace quern {

/// An event of a stream.
template <class Payload>
struct event {
  /// Its place in the stream: 1, 2, 3, …
  std::int64_t offset = 0;
  /// The consumer's position that it was received from; 0 when it was read.
  std::int64_t batch = 0;
  timestamp published_at{};
  Payload payload{};

  bool operator==(const event&) const = default;
};

/// An event that a worker of a cooperative consumer has claimed.
template <class Payload>
struct claimed_event {
  /// Its place in the stream: 1, 2, 3, …
  std::int64_t offset = 0;
  /// The claim that it stands in, with others.
  std::int64_t batch = 0;
  /// How often it was claimed, this time included.
  std::int32_t attempt = 0;
  timestamp published_at{};
  /// When others may take the claim over, by the server's clock.
  timestamp lease_until{};
  Payload payload{};

  bool operator==(const claimed_event&) const = default;
};

}  // namespace quern
