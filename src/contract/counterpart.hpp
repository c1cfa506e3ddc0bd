#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"

namespace contract {

/// The name of the field of the contract before that this one continues; empty when there is none.
std::string origin_name(const field& of);

/// The field of another version of the contract that holds the same thing: found by following renames, never by
/// guessing. Null when that version does not have it.
const field* counterpart(const std::vector<payload_contract>& contracts, int version, const field& of, int in_version);

}  // namespace contract
