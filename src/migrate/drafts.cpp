#include "migrate/drafts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "migrate/error.hpp"
#include "migrate/undo.hpp"

namespace migrate {
namespace {

// The first number of each line that has to go.
using cuts = std::map<std::string, int>;

bool is_cut(const cuts& all, const applied_step& row) {
  const auto found = all.find(row.line);
  return found != all.end() && row.number >= found->second;
}

void cut(cuts& all, const std::string& line, int number) {
  const auto [at, is_new] = all.emplace(line, number);
  if (!is_new) at->second = std::min(at->second, number);
}

// What other lines got after a part of core that goes has to go as well.
void cut_what_needs_core(cuts& all, const std::vector<applied_migration>& applied) {
  const auto core = all.find("core");
  if (core == all.end()) return;
  const int from = core->second;
  for (const applied_migration& later : applied_after_core(applied, from))
    cut(all, later.first().line, later.first().number);
}

}  // namespace

std::vector<applied_migration> drafts_to_take_back(const std::vector<applied_migration>& applied,
                                                   const std::vector<stale_draft>& stale) {
  cuts all;
  for (const stale_draft& one : stale) cut(all, one.line, one.number);
  cut_what_needs_core(all, applied);
  std::vector<applied_migration> made;
  for (const applied_migration& one : applied)
    if (is_cut(all, one.first())) made.push_back(one);
  for (const applied_migration& one : made)
    if (!one.is_draft())
      throw error{
          reason::history_mismatch,
          fmt::format("{} was applied on top of a draft that changed, and is no draft itself: take it back with "
                      "`quern rollback` first, or bring the draft's file back; nothing was changed",
                      title(one))};
  std::ranges::sort(made, {}, [](const applied_migration& one) {
    return std::tuple{one.first().line == "core", one.first().line, -one.first().number};
  });
  return made;
}

void forget(std::vector<applied_step>& applied, const std::vector<applied_migration>& gone) {
  std::erase_if(applied, [&](const applied_step& row) {
    return std::ranges::any_of(gone, [&](const applied_migration& one) {
      return one.first().line == row.line && one.first().number == row.number;
    });
  });
}

std::vector<const migration*> released_drafts(const directory& files, const std::vector<applied_step>& applied,
                                              const draft_names& drafts) {
  std::set<std::pair<std::string, int>> flagged;
  for (const applied_step& row : applied)
    if (row.is_draft) flagged.emplace(row.line, row.number);
  std::vector<const migration*> released;
  if (flagged.empty()) return released;
  for (const migration& one : files.migrations)
    if (flagged.contains({one.line, one.number}) && !drafts.contains(file_name(one))) released.push_back(&one);
  return released;
}

}  // namespace migrate
