// How long `quern generate` takes, and whether that grows with the queues alone: new, again with nothing to do,
// --check.

#include <fmt/format.h>

#include "many_queues.hpp"
#include "scene.hpp"

namespace bench {
namespace {

struct timing {
  int queues = 0;
  std::size_t files = 0;
  double fresh = 0;  // seconds, medians
  double again = 0;
  double check = 0;
};

timing generate(const scene& where, int count) {
  const many_queues project{where.directory / "generate", count};
  std::vector<double> fresh;
  std::vector<double> again;
  std::vector<double> check;
  for (int round = 0; round < where.how.generate_rounds; ++round) {
    project.clear();
    fresh.push_back(quern_seconds(where, project.generate()));
    again.push_back(quern_seconds(where, project.generate()));
    check.push_back(quern_seconds(where, project.generate({"--check"})));
  }
  return {.queues = count,
          .files = project.file_count(),
          .fresh = median(fresh),
          .again = median(again),
          .check = median(check)};
}

std::string text(double seconds, int queues) {
  return fmt::format("{:.2f} s", seconds) +
         (queues == 0 ? "" : fmt::format(" ({:.0f} us each)", seconds * 1e6 / queues));
}

// How much more a queue costs among more queues; the limit is a number of queues that does not matter.
row row_of(std::string what, const timing& of, double seconds, const timing& base, double base_seconds) {
  return {.what = std::move(what),
          .limit = fmt::format("time for a queue, of {} queues", base.queues),
          .with_quern = text(seconds, of.queues),
          .without = text(base_seconds, base.queues),
          .ratio = (seconds / of.queues) / (base_seconds / base.queues),
          .reached = seconds};
}

}  // namespace

std::vector<row> generate_rows(const scene& where) {
  std::vector<timing> all;
  for (const int count : where.how.queue_counts) all.push_back(generate(where, count));
  // A few queues cost what the start of the program costs.
  const timing& base = all.size() > 1 ? all[1] : all[0];
  std::vector<row> rows;
  for (const timing& each : all) {
    rows.push_back(row_of(fmt::format("generate {} queues, {} files", each.queues, each.files), each, each.fresh, base,
                          base.fresh));
    if (each.queues == 10'000) rows.back().aim = goal{.value = 5, .is_upper = true, .unit = " s"};
  }
  const timing& most = all.back();
  rows.push_back(row_of(fmt::format("generate {} again, no change", most.queues), most, most.again, base, base.again));
  rows.push_back(row_of(fmt::format("generate {} --check", most.queues), most, most.check, base, base.check));
  return rows;
}

}  // namespace bench
