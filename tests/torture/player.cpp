#include "player.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "time_of_day.hpp"

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
  set_clock();
  std::signal(SIGTERM, [](int) { is_asked_to_end = 1; });
}

bool player::is_over() const {
  return is_asked_to_end != 0;
}

void player::set_clock() {
  // What a machine with a wrong time zone, without a battery, or corrected meanwhile has.
  constexpr std::array longest{std::chrono::seconds{0}, std::chrono::seconds{2}, std::chrono::seconds{3600},
                               std::chrono::seconds{std::chrono::days{400}}};
  const std::int64_t most = longest.at(static_cast<std::size_t>(between(0, 3))).count() * 1'000'000;
  shift_time_of_day(std::chrono::microseconds{std::uniform_int_distribution{-most, most}(random_)});
}

void player::pause(std::chrono::milliseconds time) {
  if (chance(0.02)) set_clock();
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
