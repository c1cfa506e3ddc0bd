#pragma once

#include <cstdint>

namespace quern {

/// What a claim is known by: a message and an attempt of it, or a claim of a stream's events.
struct claim_token {
  std::int64_t id = 0;
  std::int32_t attempt = 0;

  bool operator==(const claim_token&) const = default;
};

}  // namespace quern
