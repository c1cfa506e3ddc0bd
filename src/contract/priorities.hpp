#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"

/// Priorities show in the signatures of functions: more of them, fewer or none are another contract. Programs of the
/// contract before go on with those that they know, and whoever has none sends and is sent as before, in priority 0.
namespace contract {

/// How many the queue has to tell apart: as many as the live contract with the most. 0: none.
int priorities_of(const std::vector<payload_contract>& contracts);

/// The column in which the contracts keep them; empty when none ever had any.
std::string priority_column(const std::vector<payload_contract>& contracts);

/// What changes, for people; empty when nothing does.
std::string change_of_priorities(int before, int now);

}  // namespace contract
