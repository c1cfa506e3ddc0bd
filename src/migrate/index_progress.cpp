#include "migrate/index_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace migrate {
namespace {

// Each phase counts blocks, tuples, partitions or the sessions that it waits for.
constexpr std::string_view query = R"(select phase,
  case when lockers_total > 0 then lockers_done when blocks_total > 0 then blocks_done else tuples_done end,
  case when lockers_total > 0 then lockers_total when blocks_total > 0 then blocks_total else tuples_total end
from pg_stat_progress_create_index
where pid = $1)";

}  // namespace

std::string index_progress(quern::connection& db, int pid) {
  const quern::result found = db.execute(query, static_cast<std::int32_t>(pid));
  if (found.size() == 0) return {};
  const quern::row row = found.single_row();
  const auto done = row.get<std::int64_t>(1);
  const auto total = row.get<std::int64_t>(2);
  if (total <= 0) return row.get<std::string>(0);
  return fmt::format("{}, {} %", row.get<std::string>(0), std::min<std::int64_t>(done * 100 / total, 100));
}

}  // namespace migrate
