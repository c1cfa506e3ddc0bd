#pragma once

#include "contract/lock.hpp"
#include "declaration/model.hpp"

namespace test {

/// The lock after the declaration was generated, as a draft, upon what is released of another one; with made-up
/// checksums. Throws std::runtime_error with the first diagnostic.
contract::lock draft(const declaration::project& project, const contract::lock& before = {});

/// The same, released.
contract::lock release(const declaration::project& project, const contract::lock& before = {});

}  // namespace test
