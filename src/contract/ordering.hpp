#pragma once

#include <vector>

#include "contract/contract.hpp"
#include "text/diagnostic.hpp"

namespace contract {

/// Why a queue cannot be ordered as it is declared: messages of a live contract have priorities, or a key would stand
/// in one column in messages of the last of the contracts, and in another in those of one that is live beside it.
/// Messages of a contract that does not have the field are without order. The same of the consumers of a stream.
std::vector<text::diagnostic> check_order(const declaration::queue& queue,
                                          const std::vector<payload_contract>& contracts);

}  // namespace contract
