#pragma once

#include "contract/lock.hpp"
#include "declaration/model.hpp"

namespace test {

/// The lock after the declaration was generated for the first time, with made-up checksums.
contract::lock release(const declaration::project& project);

}  // namespace test
