#pragma once

#include <chrono>

#include "check/project.hpp"

namespace check {

/// Reports accepted breaks whose day is over while a contract that they break with is live. The day that counts is the
/// declaration's as long as that speaks of the contract, so that it can be put off; else the lock's.
void check_breaks(const project& of, std::chrono::sys_days today, report& found);

}  // namespace check
