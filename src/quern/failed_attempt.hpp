#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quern {

/// What became of a message whose attempt failed.
enum class nack_outcome {
  retry,    // it waits for its next attempt
  dead,     // it was the last attempt: it stands among the dead letters
  dropped,  // it was the last attempt, and the queue keeps no dead letters
  lost      // the lease had run out and somebody else has it: nothing was changed
};

/// From the word that the database returns. Throws codec_error for a word that is none of them.
nack_outcome outcome_of(std::string_view word);

/// "retry", "dead", "dropped" or "lost".
std::string_view to_text(nack_outcome outcome) noexcept;

/// What is kept of an error's text: its first 10,000 bytes, with what is no UTF-8 replaced; nothing of an empty one.
std::optional<std::string> kept_error(std::string_view error);

/// A message, or an event by its offset, that was claimed and that this program cannot read: a label that its enum does
/// not have, a time that std::chrono cannot hold. That was a failed attempt.
struct unreadable_message {
  std::int64_t id = 0;
  std::int32_t attempt = 0;
  std::string error;
  nack_outcome outcome = nack_outcome::lost;
};

}  // namespace quern
