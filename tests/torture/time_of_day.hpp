#pragma once

#include <chrono>

namespace torture {

/// From now on this process, with all its libraries, believes that the time of day is so much later. What runs without
/// anybody setting it (CLOCK_MONOTONIC) stays as it is.
void shift_time_of_day(std::chrono::microseconds later);

}  // namespace torture
