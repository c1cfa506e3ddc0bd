#include "player.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

namespace torture {
namespace {

volatile std::sig_atomic_t is_asked_to_end = 0;

constexpr std::int64_t tx_of_incarnation = 10'000'000;
constexpr std::int64_t tx_of_slot = 100'000 * tx_of_incarnation;

std::string first_line(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

}  // namespace

player::player(const part& of)
    : url_{of.url},
      notes_{of.file},
      incarnation_{of.incarnation},
      random_{of.seed * 1'000'003 + static_cast<std::uint64_t>(of.slot) * 100'003 +
              static_cast<std::uint64_t>(of.incarnation)},
      tx_{(of.slot + 1) * tx_of_slot + of.incarnation * tx_of_incarnation} {
  std::signal(SIGTERM, [](int) { is_asked_to_end = 1; });
}

bool player::is_over() const {
  return is_asked_to_end != 0;
}

void player::pause(std::chrono::milliseconds time) const {
  // A signal ends none of the library's sleeps: they are cut into pieces.
  const auto end = std::chrono::steady_clock::now() + time;
  while (!is_over() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_until(std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds{50}));
}

void player::note(const quern::error& failed) {
  notes_.note(mark::error, failed.sqlstate().empty() ? "-" : failed.sqlstate(), failed.connection_lost() ? 1 : 0,
              failed.outcome_unknown() ? 1 : 0, first_line(failed.message()));
}

}  // namespace torture
