#include "quern/failed_attempt.hpp"

#include <array>
#include <utility>

#include "quern/error.hpp"
#include "quern/wire.hpp"

namespace quern {
namespace {

// By the value of the outcome.
constexpr std::array<std::string_view, 4> words{"retry", "dead", "dropped", "lost"};

}  // namespace

nack_outcome outcome_of(std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<nack_outcome>(i);
  }
  throw codec_error{"the database answered a nack with \"" + std::string{word} +
                    "\", which this program does not know"};
}

std::optional<std::string> kept_error(std::string_view error) {
  std::string kept = wire::as_valid_text(error, 10'000);
  return kept.empty() ? std::nullopt : std::optional{std::move(kept)};
}

std::string_view to_text(nack_outcome outcome) noexcept {
  return words[static_cast<std::size_t>(outcome)];
}

}  // namespace quern
