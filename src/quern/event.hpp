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

}  // namespace quern
