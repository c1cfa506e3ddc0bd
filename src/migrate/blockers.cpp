#include "migrate/blockers.hpp"

#include <fmt/format.h>

namespace migrate {
namespace {

constexpr std::string_view columns = R"(coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
  coalesce(a.state, ''), coalesce(left(regexp_replace(a.query, '\s+', ' ', 'g'), 120), ''),
  coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start)), 0)::float8)";

constexpr std::string_view waited_for = R"(select b.pid, {}
from unnest(pg_blocking_pids($1)) as b(pid)
left join pg_stat_activity a on a.pid = b.pid
order by b.pid)";

// An advisory lock on a bigint shows as its two halves; objsubid 1 marks that form.
constexpr std::string_view advisory = R"(select l.pid, {}
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
and l.database = (select oid from pg_database where datname = current_database())
and l.classid = (($1 >> 32) & 4294967295)::oid and l.objid = ($1 & 4294967295)::oid
order by l.pid)";

std::vector<blocker> as_blockers(const quern::result& rows) {
  std::vector<blocker> made;
  for (const quern::row row : rows)
    made.push_back({row.get<std::int32_t>(0), row.get<std::string>(1), row.get<std::string>(2), row.get<std::string>(3),
                    row.get<std::string>(4), row.get<double>(5)});
  return made;
}

}  // namespace

std::string spell(const blocker& one) {
  if (one.pid == 0) return "a prepared transaction (see pg_prepared_xacts)";
  std::string words = fmt::format("process {} (user {}", one.pid, one.user);
  if (!one.application.empty()) words += fmt::format(", application {}", one.application);
  if (!one.state.empty()) words += fmt::format(", {}", one.state);
  words += fmt::format(", for {:.0f} s)", one.age);
  if (!one.query.empty()) words += fmt::format(": {}", one.query);
  return words;
}

std::vector<blocker> blockers_of(quern::connection& db, int pid) {
  return as_blockers(db.execute(fmt::format(fmt::runtime(waited_for), columns), static_cast<std::int32_t>(pid)));
}

std::vector<blocker> holders_of(quern::connection& db, std::int64_t advisory_key) {
  return as_blockers(db.execute(fmt::format(fmt::runtime(advisory), columns), advisory_key));
}

}  // namespace migrate
