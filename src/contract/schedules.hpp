#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/lock.hpp"
#include "declaration/model.hpp"

namespace contract {

/// What a lock says about a schedule, which speaks the given contract of its queue or stream; `of` is that one.
locked_schedule locked(const declaration::schedule& schedule, const declaration::queue& of, int version);

/// The value of an option; empty when there is none.
std::string_view option_of(const locked_schedule& schedule, std::string_view key);

/// The schedule of that name, or null.
const locked_schedule* find_schedule(const std::vector<locked_schedule>& all, std::string_view name);

/// Whether some schedule fires for a queue or stream of this name.
bool is_scheduled(const std::vector<locked_schedule>& all, std::string_view queue);

/// What is to be said of a change, a line each: `adds the schedule "daily_report"`.
std::vector<std::string> schedule_words(const std::vector<locked_schedule>& before,
                                        const std::vector<locked_schedule>& after);

}  // namespace contract
