#include "contract/schedules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace contract {

namespace {

std::string_view spell(declaration::catch_up_policy policy) {
  switch (policy) {
    case declaration::catch_up_policy::none:
      return "none";
    case declaration::catch_up_policy::last:
      return "last";
    case declaration::catch_up_policy::all:
      return "all";
  }
  return "";
}

/// `cron`, `zone` of what has changed; a schedule that only moves to a newer contract says so.
std::string change_words(const locked_schedule& before, const locked_schedule& after) {
  std::vector<std::string_view> keys;
  for (const auto* options : {&before.options, &after.options}) {
    for (const auto& [key, value] : *options) {
      const bool is_known = std::find(keys.begin(), keys.end(), key) != keys.end();
      if (!is_known && option_of(before, key) != option_of(after, key)) keys.push_back(key);
    }
  }
  if (keys.size() == 1 && keys.front() == "contract")
    return fmt::format("moves the schedule \"{}\" to contract v{}", after.name, option_of(after, "contract"));
  return fmt::format("changes {} of the schedule \"{}\"", fmt::join(keys, ", "), after.name);
}

}  // namespace

locked_schedule locked(const declaration::schedule& schedule, const declaration::queue& of, int version) {
  locked_schedule result{schedule.name, {}};
  auto& options = result.options;
  if (!schedule.doc.empty()) options.emplace_back("doc", schedule.doc);
  options.emplace_back("cron", schedule.cron);
  options.emplace_back("zone", schedule.zone);
  options.emplace_back(of.stream ? "stream" : "queue", schedule.target);
  options.emplace_back("contract", fmt::to_string(version));
  options.emplace_back("payload", schedule.payload);
  options.emplace_back("catch_up", spell(schedule.catch_up));
  options.emplace_back("runner", schedule.runner == declaration::schedule_runner::quern ? "quern" : "pg_cron");
  if (!of.grants.operate.empty())
    options.emplace_back("operate", fmt::format("{}", fmt::join(of.grants.operate, ", ")));
  return result;
}

std::string_view option_of(const locked_schedule& schedule, std::string_view key) {
  const auto place = std::ranges::find(schedule.options, key, &option::first);
  return place == schedule.options.end() ? std::string_view{} : place->second;
}

const locked_schedule* find_schedule(const std::vector<locked_schedule>& all, std::string_view name) {
  const auto place = std::ranges::find(all, name, &locked_schedule::name);
  return place == all.end() ? nullptr : &*place;
}

bool is_scheduled(const std::vector<locked_schedule>& all, std::string_view queue) {
  return std::ranges::any_of(all, [&](const locked_schedule& one) {
    return option_of(one, "queue") == queue || option_of(one, "stream") == queue;
  });
}

std::vector<std::string> schedule_words(const std::vector<locked_schedule>& before,
                                        const std::vector<locked_schedule>& after) {
  std::vector<std::string> result;
  for (const auto& now : after) {
    const auto* known = find_schedule(before, now.name);
    if (known == nullptr)
      result.push_back(fmt::format("adds the schedule \"{}\"", now.name));
    else if (*known != now)
      result.push_back(change_words(*known, now));
  }
  for (const auto& each : before) {
    if (find_schedule(after, each.name) == nullptr)
      result.push_back(fmt::format("drops the schedule \"{}\"", each.name));
  }
  return result;
}

}  // namespace contract
