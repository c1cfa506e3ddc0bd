#include "quern/message_result.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "quern/error.hpp"

namespace quern {
namespace {

// By the value of the state.
constexpr std::array<std::string_view, 4> words{"pending", "done", "dead", "unknown"};

constexpr std::chrono::milliseconds longest_look{20};

message_result decode(const row& from) {
  return {result_state_of(from.get<std::string>(0)), from.get<std::optional<json>>(1)};
}

/// Listens and holds the locks that say that somebody waits; gives both up in its destructor.
class result_wait {
 public:
  result_wait(connection& on, const result_statements& by, std::int64_t message_id)
      : on_{&on}, by_{&by}, message_id_{message_id}, notification_{std::to_string(message_id)} {
    on_->listen(by_->channel);
  }

  result_wait(const result_wait&) = delete;
  result_wait& operator=(const result_wait&) = delete;

  ~result_wait() {
    if (!on_->is_usable() || on_->status() != transaction_status::idle) return;
    try {
      if (is_announced_) on_->execute(*by_->await_end, message_id_);
      on_->unlisten(by_->channel);
    } catch (const error&) {
      // The connection went: with it the locks and the channel.
    }
  }

  message_result look() {
    const result answer = on_->execute(*by_->await, message_id_, since_);
    const row only = answer.single_row();
    auto found = decode(only);
    is_announced_ = found.state == result_state::pending;
    may_be_ending_ = only.get<bool>(2);
    since_ = only.get<std::string>(3);
    return found;
  }

  /// Until the message was notified of, it is time to look again, or it is over.
  void sleep(deadline until, const std::stop_token& stop, std::chrono::milliseconds look_every) {
    const auto longest = may_be_ending_
                             ? std::min(std::exchange(next_look_, std::min(2 * next_look_, longest_look)), look_every)
                             : look_every;
    const deadline end = std::min(until, std::chrono::steady_clock::now() + longest);
    while (const auto heard = on_->wait_for_notification(end, stop)) {
      if (heard->channel == by_->channel && heard->payload == notification_) return;
    }
  }

 private:
  connection* on_;
  const result_statements* by_;
  std::int64_t message_id_;
  std::string notification_;
  bool is_announced_ = false;
  bool may_be_ending_ = false;
  std::optional<std::string> since_;
  std::chrono::milliseconds next_look_{1};
};

}  // namespace

result_state result_state_of(std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<result_state>(i);
  }
  throw codec_error{"the database answered with the state \"" + std::string{word} +
                    "\", which this program does not know"};
}

bool is_bad_result(const error& refused) noexcept {
  // No UTF-8; what a value can be refused for; what is nested too deep or too large for one.
  const std::string& is = refused.sqlstate();
  if (dynamic_cast<const codec_error*>(&refused) != nullptr) return true;
  return is.starts_with("22") || is.starts_with("54");
}

std::string_view to_text(result_state state) noexcept {
  return words[static_cast<std::size_t>(state)];
}

message_result look_for_result(connection& on, const result_statements& by, std::int64_t message_id) {
  const result answer = on.execute(*by.result, message_id);
  return decode(answer.single_row());
}

message_result wait_for_result(connection& on, const result_statements& by, std::int64_t message_id, deadline until,
                               const std::stop_token& stop, std::chrono::milliseconds look_every) {
  if (on.is_in_transaction()) throw std::logic_error{"quern::producer: a result is awaited in a transaction"};
  auto found = look_for_result(on, by, message_id);
  if (found.state != result_state::pending) return found;
  result_wait wait{on, by, message_id};
  for (found = wait.look(); found.state == result_state::pending; found = wait.look()) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) break;
    wait.sleep(until, stop, look_every);
  }
  return found;
}

}  // namespace quern
