#include "measure.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace bench {
namespace {

struct samples {
  std::vector<double> rates, server_costs, client_costs;

  void keep(const measure& of) {
    const double count = static_cast<double>(std::max<std::uint64_t>(of.count, 1));
    rates.push_back(of.rate());
    server_costs.push_back(of.server_seconds * 1e6 / count);
    client_costs.push_back(of.client_seconds * 1e6 / count);
  }

  costs median_costs() const { return {.server = median(server_costs), .client = median(client_costs)}; }
};

}  // namespace

comparison compare(int rounds, const side& quern, const side& limit) {
  std::vector<double> ratios;
  samples with;
  samples without;
  for (int round = rounds > 1 ? 0 : 1; round <= rounds; ++round) {
    const bool is_quern_first = round % 2 == 0;
    const measure first = is_quern_first ? quern() : limit();
    const measure second = is_quern_first ? limit() : quern();
    if (round == 0) continue;
    with.keep(is_quern_first ? first : second);
    without.keep(is_quern_first ? second : first);
    ratios.push_back(with.rates.back() / without.rates.back());
  }
  return {.ratio = median(ratios),
          .low_ratio = quantile(ratios, 0.25),
          .high_ratio = quantile(ratios, 0.75),
          .quern_rate = median(with.rates),
          .limit_rate = median(without.rates),
          .quern_costs = with.median_costs(),
          .limit_costs = without.median_costs()};
}

double quantile(std::vector<double> values, double share) {
  assert(!values.empty());
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

double median(std::vector<double> values) {
  assert(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace bench
