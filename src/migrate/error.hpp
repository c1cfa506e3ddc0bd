#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace migrate {

/// What the caller can do about it; the program has an exit code for each.
enum class reason {
  wrong_input,       // a file is malformed, or the target does not exist
  unreachable,       // no connection, or it was lost: run again
  failed,            // the server refused a step; nothing of that step remains
  gave_up_waiting,   // for a lock, or for another runner
  history_mismatch,  // an applied migration was edited, is missing, or out of order
  database_ahead,    // the database has migrations that the directory has not
  not_permitted,     // a read-only server, a missing right or role
  still_in_use,      // clients or messages still depend on what was to be taken away
};

/// Why migrations could not be applied, in words for whoever runs them; may have several lines.
class error : public std::runtime_error {
 public:
  error(reason why, const std::string& words, std::string server_says = {})
      : std::runtime_error{words},
        why_{why},
        server_says_{std::make_shared<const std::string>(std::move(server_says))} {}

  reason why() const noexcept { return why_; }

  /// The server's message and detail; empty when it was not the server that refused.
  const std::string& server_says() const noexcept { return *server_says_; }

 private:
  reason why_;
  std::shared_ptr<const std::string> server_says_;
};

}  // namespace migrate
