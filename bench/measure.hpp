#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace bench {

/// What one side did in one round.
struct measure {
  std::uint64_t count = 0;    // messages, files, … whatever the row counts
  double seconds = 0;         // by the wall
  double server_seconds = 0;  // of the processor, by the server's sessions; 0 where the system does not tell

  double rate() const { return static_cast<double>(count) / seconds; }

  bool operator==(const measure&) const = default;
};

/// Two sides that were measured in turns.
struct comparison {
  double ratio = 0;       // median of the rounds' ratios of the rates, quern's to the limit's
  double quern_rate = 0;  // medians, per second
  double limit_rate = 0;
  double quern_cost = 0;  // medians of the server's processor time for one message, in microseconds; 0: not known
  double limit_cost = 0;

  bool operator==(const comparison&) const = default;
};

using side = std::function<measure()>;

/// Measures in pairs, each pair in the other order than the one before, so that what changes on the machine meanwhile
/// meets both sides alike. The first pair warms up and does not count.
comparison compare(int rounds, const side& quern, const side& limit);

/// The middle one; of an even number the mean of the two. There has to be one.
double median(std::vector<double> values);

}  // namespace bench
