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
  double client_seconds = 0;  // of the processor, by the clients

  double rate() const { return static_cast<double>(count) / seconds; }

  bool operator==(const measure&) const = default;
};

/// Processor time for one message in microseconds, medians; 0: not known.
struct costs {
  double server = 0;
  double client = 0;

  bool operator==(const costs&) const = default;
};

/// Two sides that were measured in turns.
struct comparison {
  double ratio = 0;       // median of the rounds' ratios of the rates, quern's to the limit's
  double low_ratio = 0;   // a quarter of the rounds was below
  double high_ratio = 0;  // a quarter of the rounds was above
  double quern_rate = 0;  // medians, per second
  double limit_rate = 0;
  costs quern_costs{};
  costs limit_costs{};

  bool operator==(const comparison&) const = default;
};

using side = std::function<measure()>;

/// Measures in pairs, each pair in the other order than the one before, so that what changes on the machine meanwhile
/// meets both sides alike. The first pair warms up and does not count.
comparison compare(int rounds, const side& quern, const side& limit);

/// The value that this share of the values (from 0 to 1) is not above. There has to be one.
double quantile(std::vector<double> values, double share);

/// The middle one; of an even number the mean of the two. There has to be one.
double median(std::vector<double> values);

}  // namespace bench
