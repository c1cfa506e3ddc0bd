#pragma once

#include <functional>

namespace check {

/// Runs the work on a thread of its own, with a stack that is reserved and only used as far as it is needed. Throws
/// what the work throws, and std::runtime_error where no such thread can be had.
void on_deep_stack(std::function<void()> work);

}  // namespace check
