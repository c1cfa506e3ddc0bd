#include "check/finding.hpp"

#include <algorithm>
#include <tuple>

namespace check {

void sort(report& found) {
  const auto place = [](const finding& one) {
    return std::tie(one.file, one.what.where.begin, one.what.code, one.what.message);
  };
  std::ranges::stable_sort(found.findings,
                           [&](const finding& left, const finding& right) { return place(left) < place(right); });
}

std::size_t count(const report& found, text::severity level) {
  return static_cast<std::size_t>(
      std::ranges::count_if(found.findings, [&](const finding& one) { return one.what.level == level; }));
}

const text::source& source_of(const report& found, const finding& one) {
  static const text::source nothing;
  const auto known = found.sources.find(one.file);
  return known == found.sources.end() ? nothing : known->second;
}

}  // namespace check
