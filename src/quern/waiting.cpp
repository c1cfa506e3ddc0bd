#include "quern/waiting.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "quern/error.hpp"
#include "quern/time.hpp"

namespace quern {
namespace {

constexpr prepared share_lock{"select pg_catalog.pg_try_advisory_lock_shared($1)"};
constexpr prepared release_lock{"select pg_catalog.pg_advisory_unlock_shared($1)"};

// A producer holds the lock for an instant; it was that instant, or messages are coming.
constexpr std::chrono::milliseconds without_lock{10};

}  // namespace

waiting::waiting(connection& on, std::string_view channel, std::int64_t key, next_due due, bool use_notifications)
    : on_{&on}, channel_{channel}, key_{key}, next_due_{std::move(due)}, use_notifications_{use_notifications} {
  if (on.is_in_transaction()) throw std::logic_error{"quern::worker: the connection is in a transaction"};
  if (use_notifications_) on.listen(channel_);
}

waiting::~waiting() {
  if (!use_notifications_ || !on_->is_usable() || on_->status() != transaction_status::idle) return;
  try {
    end();
    on_->unlisten(channel_);
  } catch (const error&) {
    // The connection went: with it the lock and the channel.
  }
}

void waiting::begin() {
  if (!use_notifications_) return;
  // What came while nobody waited is stale.
  while (on_->wait_for_notification(std::chrono::steady_clock::now(), nullptr)) {
  }
  has_lock_ = on_->execute(share_lock, key_).value<bool>();
}

void waiting::sleep(std::chrono::milliseconds longest, const interruption& by) {
  constexpr std::chrono::milliseconds hour = std::chrono::hours{1};  // then the worker looks again
  std::chrono::microseconds wait = std::min<std::chrono::microseconds>(std::min(longest, hour), until_next_due());
  if (use_notifications_ && !has_lock_) wait = std::min<std::chrono::microseconds>(wait, without_lock);
  on_->wait_for_notification(std::chrono::steady_clock::now() + wait, &by);
}

void waiting::pause(std::chrono::milliseconds time, const interruption& by) {
  const deadline until = deadline_after(time);
  while (on_->wait_for_notification(until, &by)) {
  }
}

void waiting::end() {
  if (!has_lock_) return;
  has_lock_ = false;
  on_->execute(release_lock, key_);
}

std::chrono::microseconds waiting::until_next_due() const {
  const auto left = next_due_();
  if (!left) return std::chrono::microseconds::max();
  // A difference of two times has days of 24 hours and no months.
  return std::max(std::chrono::microseconds{0}, std::chrono::microseconds{std::chrono::days{left->days}} + left->time);
}

}  // namespace quern
