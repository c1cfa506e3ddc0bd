#include "quern/registration.hpp"

#include <exception>

#include "quern/error.hpp"
#include "quern/sqlstate.hpp"

namespace quern {

void registration::begin(connection& on, bool has_session) {
  const std::lock_guard lock{mutex_};
  if (session_ == on.backend_pid()) return;
  try {
    worker_id_ = on.execute(begin_, queue_, consumer_, has_session, worker_id_).value<uuid>();
  } catch (const database_error& refused) {
    if (refused.sqlstate() != sqlstate::insufficient_privilege && refused.sqlstate() != sqlstate::undefined_function)
      throw;
    worker_id_.reset();
  }
  session_ = on.backend_pid();
  status_ = "polling";
  next_beat_ = std::chrono::steady_clock::now() + period;
}

void registration::beat(connection& over, std::string_view status) {
  const std::lock_guard lock{mutex_};
  send_beat(over, status);
}

// Who beats for many may not wait for one whose connection hangs: leases depend on it.
void registration::beat_if_free(connection& over, std::string_view status) {
  const std::unique_lock lock{mutex_, std::try_to_lock};
  if (lock) send_beat(over, status);
}

void registration::send_beat(connection& over, std::string_view status) {
  const deadline now = std::chrono::steady_clock::now();
  if (!session_ || !worker_id_ || (status == status_ && now < next_beat_)) return;
  over.execute(beat_, *worker_id_, status);
  status_ = status;
  next_beat_ = now + period;
}

void registration::end(connection& on, std::string_view status) noexcept {
  try {
    if (session_ == on.backend_pid() && on.status() == transaction_status::idle) beat(on, status);
  } catch (const std::exception&) {
    // The connection went, and with it the lock that says that this worker lives.
  }
  const std::lock_guard lock{mutex_};
  session_.reset();
}

}  // namespace quern
