#include "check/breaks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "contract/queue_names.hpp"
#include "declaration/literals.hpp"

namespace check {
namespace {

/// What the declaration says of a contract that breaks, or null.
const declaration::accepted_break* declared_break(const project& of, const contract::payload_contract& one) {
  if (!of.declared || !of.declaration_source) return nullptr;
  const auto queue = std::ranges::find(of.declared->queues, one.queue, &declaration::queue::name);
  if (queue == of.declared->queues.end() || !queue->breaks || queue->breaks->version != one.version) return nullptr;
  return &*queue->breaks;
}

/// `v1 is`, `v1 and v2 are`: the live ones before a contract; empty when there are none.
std::string live_before(const contract::line& line, const contract::payload_contract& one) {
  std::vector<std::string> versions;
  for (const contract::payload_contract* const each : contract::live(line.state.contracts))
    if (each->version < one.version) versions.push_back(fmt::format("v{}", each->version));
  if (versions.empty()) return {};
  return fmt::format("{} {}", fmt::join(versions, " and "), versions.size() == 1 ? "is" : "are");
}

void report_break(const project& of, const contract::line& line, const contract::payload_contract& one,
                  const std::string& older, report& found) {
  const auto* const declared = declared_break(of, one);
  const std::string& until = declared == nullptr ? one.breaks->until : declared->until;
  const auto message = fmt::format("the break of contract v{} of {} \"{}\" was accepted until {}, and {} still live",
                                   one.version, contract::kind_of(line.state), line.name, until, older);
  const auto help =
      fmt::format("when nobody speaks it any more: `quern retire {} {}`; or put the day off in accept_break", line.name,
                  contract::live(line.state.contracts).front()->version);
  if (declared != nullptr)
    return found.add(name::contracts, of.declaration_source->name,
                     problem("break_expired", message, help, declared->where));
  found.add(name::contracts, of.lock_source->name,
            problem("break_expired", message, help, place_in_lock(*of.lock_source, line.name)));
}

bool is_over(const project& of, const contract::payload_contract& one, std::chrono::sys_days today) {
  const auto* const declared = declared_break(of, one);
  const auto until = declaration::read_date(declared == nullptr ? one.breaks->until : declared->until);
  return until && *until < today;
}

}  // namespace

void check_breaks(const project& of, std::chrono::sys_days today, report& found) {
  if (!of.lock || !of.lock_source) return;
  for (const contract::line& line : of.lock->lines)
    for (const contract::payload_contract& one : contracts_of(line)) {
      if (!one.breaks || one.is_retired || !is_over(of, one, today)) continue;
      const std::string older = live_before(line, one);
      if (!older.empty()) report_break(of, line, one, older, found);
    }
}

}  // namespace check
