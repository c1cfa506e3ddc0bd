#pragma once

#include <fmt/format.h>

#include <vector>

#include "measure.hpp"
#include "row.hpp"

namespace bench {

/// The median and the 99th of 100 of what was measured in milliseconds, with what they must not exceed.
inline std::vector<row> latency_rows(const char* what, const std::vector<double>& latencies) {
  const auto made = [&](const char* name, double share, double aim) {
    const double reached = quantile(latencies, share);
    return row{.what = fmt::format("{}, {}", what, name),
               .limit = "from commit to handler",
               .with_quern = fmt::format("{:.2f} ms", reached),
               .without = "",
               .ratio = reached / aim,
               .aim = goal{.value = aim, .is_upper = true, .unit = " ms"},
               .reached = reached};
  };
  return {made("median", 0.5, 1), made("99th of 100", 0.99, 5)};
}

}  // namespace bench
