#include "quern/stop_on_signals.hpp"

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "quern/interruption.hpp"

namespace quern {
namespace {

// What the handler wakes: it lives as long as the process, because a handler may run at any time.
std::atomic<interruption*> came = nullptr;
std::atomic<bool> is_in_use = false;
static_assert(std::atomic<interruption*>::is_always_lock_free);

void wake(int) noexcept {
  came.load()->raise();
}

interruption& take_into_use() {
  if (is_in_use.exchange(true)) throw std::logic_error{"quern::stop_on_signals: there is another one in this process"};
  if (came == nullptr) came = new interruption;
  came.load()->lower();
  return *came;
}

}  // namespace

struct stop_on_signals::inside {
  inside() = default;
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

  ~inside() {
    for (auto each = former.rbegin(); each != former.rend(); ++each) sigaction(each->first, &each->second, nullptr);
    is_ending = true;
    signalled.raise();
    relay.join();
    is_in_use = false;
  }

  void handle(int signal) {
    struct sigaction once {};
    once.sa_handler = wake;
    // The second one finds the default.
    once.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    struct sigaction before {};
    if (sigaction(signal, &once, &before) != 0)
      throw std::system_error{errno, std::generic_category(), "quern::stop_on_signals"};
    former.emplace_back(signal, before);
  }

  interruption& signalled = take_into_use();
  std::atomic<bool> is_ending = false;
  std::vector<std::pair<int, struct sigaction>> former;
  std::stop_source stop;
  // A handler may do next to nothing: what it wakes does the rest.
  std::thread relay{[this] {
    signalled.wait();
    if (!is_ending) stop.request_stop();
  }};
};

stop_on_signals::stop_on_signals(std::initializer_list<int> signals) : inside_{std::make_unique<inside>()} {
  for (const int each : signals) inside_->handle(each);
}

stop_on_signals::~stop_on_signals() = default;

std::stop_token stop_on_signals::token() const {
  return inside_->stop.get_token();
}

}  // namespace quern
