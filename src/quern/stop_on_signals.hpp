#pragma once

#include <csignal>
#include <initializer_list>
#include <memory>
#include <stop_token>

namespace quern {

/// Turns signals into a stop request: `worker.run(signals.token())` finishes the message in hand, gives the others back
/// and returns. A second signal of the kind ends the program.
/// The signals' former dispositions come back with its end. One at a time in a process.
class stop_on_signals {
 public:
  /// Throws std::logic_error when there is another one, std::system_error for what is no signal.
  explicit stop_on_signals(std::initializer_list<int> signals = {SIGTERM, SIGINT});
  stop_on_signals(const stop_on_signals&) = delete;
  stop_on_signals& operator=(const stop_on_signals&) = delete;
  ~stop_on_signals();

  std::stop_token token() const;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace quern
