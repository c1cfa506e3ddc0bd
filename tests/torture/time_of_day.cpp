#include "time_of_day.hpp"

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>

namespace torture {
namespace {

constexpr std::int64_t second = 1'000'000'000;

std::atomic<std::int64_t> shift{0};  // in nanoseconds

timespec shifted(timespec time) {
  const std::int64_t nanoseconds = time.tv_nsec + shift.load(std::memory_order_relaxed) % second;
  const std::int64_t carry = nanoseconds < 0 ? -1 : nanoseconds / second;
  time.tv_sec += shift.load(std::memory_order_relaxed) / second + carry;
  time.tv_nsec = nanoseconds - carry * second;
  return time;
}

}  // namespace

void shift_time_of_day(std::chrono::microseconds later) {
  shift = std::chrono::nanoseconds{later}.count();
}

}  // namespace torture

// In place of the system's for this program and for the libraries that it is linked with.
extern "C" {

int clock_gettime(clockid_t which, timespec* time) noexcept {
  const long outcome = syscall(SYS_clock_gettime, which, time);
  const bool is_time_of_day = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
  if (outcome == 0 && is_time_of_day) *time = torture::shifted(*time);
  return static_cast<int>(outcome);
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec precise{};
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  *time = {precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* seconds) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (seconds != nullptr) *seconds = precise.tv_sec;
  return precise.tv_sec;
}
}
