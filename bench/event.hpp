#pragma once

#include <cstdint>
#include <ranges>

#include "shop/activity.hpp"
#include "shop/activity_deep.hpp"

namespace bench {

/// What a customer of a shop did, different for each number.
template <class Payload>
Payload event(std::int64_t number) {
  Payload made;
  made.customer_id = number;
  made.kind = "order_placed";
  made.detail = quern::json{R"({"order_id": 42, "total": "19.90", "items": ["a book", "a pen"]})"};
  return made;
}

template <class Payload>
auto events(std::int64_t count) {
  return std::views::iota(std::int64_t{0}, count) | std::views::transform(event<Payload>);
}

}  // namespace bench
