#include "measure.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace bench {
namespace {

struct samples {
  std::vector<double> ratios, quern_rates, limit_rates, quern_costs, limit_costs;
};

double microseconds_each(const measure& of) {
  return of.count == 0 ? 0 : of.server_seconds * 1e6 / static_cast<double>(of.count);
}

void keep(samples& all, const measure& quern, const measure& limit) {
  all.ratios.push_back(quern.rate() / limit.rate());
  all.quern_rates.push_back(quern.rate());
  all.limit_rates.push_back(limit.rate());
  all.quern_costs.push_back(microseconds_each(quern));
  all.limit_costs.push_back(microseconds_each(limit));
}

}  // namespace

comparison compare(int rounds, const side& quern, const side& limit) {
  samples all;
  for (int round = rounds > 1 ? 0 : 1; round <= rounds; ++round) {
    const bool is_quern_first = round % 2 == 0;
    const measure first = is_quern_first ? quern() : limit();
    const measure second = is_quern_first ? limit() : quern();
    if (round == 0) continue;
    keep(all, is_quern_first ? first : second, is_quern_first ? second : first);
  }
  return {.ratio = median(all.ratios),
          .quern_rate = median(all.quern_rates),
          .limit_rate = median(all.limit_rates),
          .quern_cost = median(all.quern_costs),
          .limit_cost = median(all.limit_costs)};
}

double median(std::vector<double> values) {
  assert(!values.empty());
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace bench
