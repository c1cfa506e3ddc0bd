#pragma once

#include <string>
#include <string_view>

#include "contract/lock.hpp"

namespace contract {

/// Why a contract cannot be retired, in words; empty when it can. Only the oldest live contract of a queue can: what is
/// newer may be read through it. `engine` is that of the templates, which render what is left.
std::string why_not_retire(const lock& lock, std::string_view queue, int version, int engine = first_engine);

/// The lock with the queue's oldest live contract retired.
lock retire(const lock& lock, std::string_view queue);

}  // namespace contract
