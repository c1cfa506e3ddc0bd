#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history.hpp"
#include "records.hpp"
#include "report.hpp"

namespace torture {

/// A message, where it stands in its transaction, and what it is ordered by.
struct keyed {
  std::int64_t key = 0;
  std::int64_t message = 0;
  std::int64_t tx = 0;
  std::int64_t place = 0;
};

/// For how long somebody certainly had one.
struct hold : keyed {
  micros asked = 0;  // it was given after this; 0: not known
  micros since = 0;
  micros until = 0;
  std::string by{};
};

/// When one was handled, in whatever unit: it grows from one commit to the next.
struct handling : keyed {
  std::int64_t when = 0;
};

/// Of each key one message at a time, and one after the other: what was committed before another transaction began
/// comes before what that enqueued, and of one transaction the places come in their order.
void check_order(const std::string& queue, const tx_map& txs, std::vector<hold> holds, std::vector<handling> handlings,
                 report& into);

}  // namespace torture
