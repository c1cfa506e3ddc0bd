#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"
#include "declaration/model.hpp"
#include "text/diagnostic.hpp"

namespace contract {

/// What a declared payload makes of the contracts before it.
struct evolution {
  bool is_changed = false;  // else `next` is the last of them
  payload_contract next;
  std::vector<std::string> words;          // what changes, for people: `adds the field "note"`
  std::vector<text::diagnostic> problems;  // what keeps older and newer programs from running side by side
};

/// The contract after the last of `before`, which is not empty. Fields keep their column while their values can be
/// stored as before; others get a column of their own. What older or newer programs could not read is a problem, unless
/// the declaration accepts the break.
evolution evolve(const declaration::project& project, const declaration::queue& queue,
                 const std::vector<payload_contract>& before);

/// The first contract of a queue, or the first after it was dropped.
payload_contract first_contract(const declaration::project& project, const declaration::queue& queue,
                                const std::vector<payload_contract>& before);

}  // namespace contract
