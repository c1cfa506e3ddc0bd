#include "interrupt.hpp"

#include <csignal>
#include <initializer_list>

namespace bench {
namespace {

volatile std::sig_atomic_t came = 0;

}  // namespace

void catch_interrupts() {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal_number, [](int) { came = 1; });
}

bool is_interrupted() noexcept {
  return came != 0;
}

void check_interrupt() {
  if (is_interrupted()) throw interrupted{};
}

}  // namespace bench
