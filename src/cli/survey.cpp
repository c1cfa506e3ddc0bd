#include "cli/survey.hpp"

#include <fmt/format.h>

#include <quern/connection.hpp>
#include <quern/error.hpp>

namespace cli {
namespace {

queue_limits read_limits(operated_schema& in, const operated_queue& of) {
  const auto found = in.db.execute(
      fmt::format("select concurrency, in_work, rate_count, extract(epoch from rate_per)::float8, rate_burst, "
                  "coalesce(greatest(extract(epoch from open_at - clock_timestamp())::float8, 0), 0) from {}()",
                  of.function("limits")));
  const auto row = found.single_row();
  return {row.get<std::optional<int>>(0),          row.get<std::optional<int>>(1),
          row.get<std::optional<std::int64_t>>(2), row.get<std::optional<double>>(3),
          row.get<std::optional<std::int64_t>>(4), row.get<double>(5)};
}

queue_stats read_queue(operated_schema& in, const operated_queue& of) {
  const auto found = in.db.execute(
      fmt::format("select ready, delayed, leased, dead, extract(epoch from oldest_age)::float8, is_paused from {}()",
                  of.function("stats")));
  const auto row = found.single_row();
  queue_stats read{row.get<std::int64_t>(0), row.get<std::int64_t>(1),          row.get<std::int64_t>(2),
                   row.get<std::int64_t>(3), row.get<std::optional<double>>(4), row.get<bool>(5)};
  if (has_function(in, of, "blocked"))
    read.blocked =
        in.db.execute(fmt::format("select count(*) from {}()", of.function("blocked"))).value<std::int64_t>();
  if (has_function(in, of, "limits")) read.limits = read_limits(in, of);
  return read;
}

stream_stats read_stream(operated_schema& in, const operated_queue& of) {
  const auto found = in.db.execute(
      fmt::format("select first_offset, last_offset, unsealed, segments, bytes from {}()", of.function("stats")));
  const auto all = found.single_row();
  stream_stats read{all.get<std::int64_t>(0), all.get<std::int64_t>(1), all.get<std::int64_t>(2),
                    all.get<std::int64_t>(3), all.get<std::int64_t>(4)};
  const auto rows = in.db.execute(
      fmt::format("select consumer, up_to, behind, extract(epoch from oldest_age)::float8, extract(epoch from "
                  "clock_timestamp() - moved_at)::float8, claims, retries, dead from {}()",
                  of.function("lag")));
  for (const auto row : rows)
    read.consumers.push_back({row.get<std::string>(0), row.get<std::int64_t>(1), row.get<std::int64_t>(2),
                              row.get<std::optional<double>>(3), row.get<std::optional<double>>(4),
                              row.get<std::int64_t>(5), row.get<std::int64_t>(6), row.get<std::int64_t>(7)});
  return read;
}

// One that fails, for example after a restore, does not hide the others.
entry read_entry(operated_schema& in, const operated_queue& of) {
  entry read{of};
  try {
    if (of.is_stream)
      read.stream = read_stream(in, of);
    else
      read.queue = read_queue(in, of);
  } catch (const quern::database_error& refused) {
    read.problem = refused.what();
    read.code = code_of(refused);
  }
  return read;
}

std::optional<held_back> oldest_transaction(operated_schema& in) {
  const auto rows = in.db.execute(
      "select a.pid, extract(epoch from clock_timestamp() - a.xact_start)::float8, a.application_name from "
      "pg_stat_activity as a where a.xact_start is not null and coalesce(a.backend_xid, a.backend_xmin) is not null "
      "and "
      "a.backend_type = 'client backend' and a.datname = current_database() and a.pid <> pg_backend_pid() "
      "order by a.xact_start limit 1");
  if (rows.empty()) return std::nullopt;
  return held_back{rows[0].get<int>(0), rows[0].get<double>(1),
                   rows[0].get<std::optional<std::string>>(2).value_or("")};
}

std::optional<all_workers> read_workers(operated_schema& in) try {
  all_workers found;
  const auto rows =
      in.db.execute(fmt::format("select queue, coalesce(consumer, ''), count(*) filter (where status in ('ready', "
                                "'polling', 'interrupted')), count(*) "
                                "filter (where status = 'dead') from {}.quern_workers() group by 1, 2",
                                quern::quoted_identifier(in.name)));
  for (const auto row : rows)
    found[{row.get<std::string>(0), row.get<std::string>(1)}] = {row.get<std::int64_t>(2), row.get<std::int64_t>(3)};
  return found;

} catch (const quern::database_error&) {
  // Migrated before there was such a list, or not for this role.
  return std::nullopt;
}

}  // namespace

survey look(operated_schema& in, const std::vector<std::string>& names) {
  survey found;
  for (const std::string& name : names) found.entries.push_back(read_entry(in, find_queue(in, name)));
  if (names.empty()) {
    for (const operated_queue& one : all_queues(in)) {
      if (one.is_permitted)
        found.entries.push_back(read_entry(in, one));
      else
        ++found.hidden;
    }
  }
  found.oldest = oldest_transaction(in);
  found.workers = read_workers(in);
  return found;
}

}  // namespace cli
