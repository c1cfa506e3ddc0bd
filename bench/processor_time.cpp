#include "processor_time.hpp"

#include <time.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace bench {

double processor_seconds(const std::vector<int>& processes) {
  double sum = 0;
  for (const int each : processes) {
    // Its first word is the time on a processor in nanoseconds.
    std::ifstream file{"/proc/" + std::to_string(each) + "/schedstat"};
    std::uint64_t nanoseconds = 0;
    if (file >> nanoseconds) sum += static_cast<double>(nanoseconds) * 1e-9;
  }
  return sum;
}

double own_processor_seconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace bench
