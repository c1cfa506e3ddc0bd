#pragma once

#include <vector>

#include "migrate/history.hpp"

namespace migrate {

/// The migrations that have to be taken back so that these drafts are gone, in that order: what was applied on top of
/// one goes first. Throws error when something on top is not a draft.
std::vector<applied_migration> drafts_to_take_back(const std::vector<applied_migration>& applied,
                                                   const std::vector<stale_draft>& stale);

/// Removes the rows of these migrations.
void forget(std::vector<applied_step>& applied, const std::vector<applied_migration>& gone);

/// The files that were applied as drafts, are the same, and are drafts no more.
std::vector<const migration*> released_drafts(const directory& files, const std::vector<applied_step>& applied,
                                              const draft_names& drafts);

}  // namespace migrate
