#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"

namespace test {

/// The contracts of a queue `email` that was declared and released in these ways one after the other, each what stands
/// below `[queues.email]`; the enumeration `channel` knows "email", "sms", and one value more in each but the first.
/// Throws std::runtime_error with everything that is wrong.
std::vector<contract::payload_contract> history(const std::vector<std::string>& queues);

}  // namespace test
