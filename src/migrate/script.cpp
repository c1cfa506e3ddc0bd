#include "migrate/script.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <memory>
#include <quern/session.hpp>
#include <string_view>

namespace migrate {
namespace {

struct clear_result {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

using owned_result = std::unique_ptr<PGresult, clear_result>;

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// A loss that the server announced (57P01 …) comes as an error first: its words say more than the loss itself.
script_failure lost(PGconn* db, const std::optional<script_failure>& announced, std::size_t completed) {
  script_failure made = announced.value_or(script_failure{{}, completed});
  if (made.details.message.empty()) made.details.message = trimmed(PQerrorMessage(db));
  made.details.is_connection_lost = true;
  return made;
}

// False when the pause is over and there is nothing to read yet.
bool can_read(PGconn* db, std::chrono::milliseconds pause) {
  pollfd wanted{.fd = PQsocket(db), .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, static_cast<int>(pause.count())) > 0;
}

bool wait_for_result(PGconn* db, std::chrono::milliseconds pause, const std::function<void()>& while_waiting) {
  while (PQisBusy(db) == 1) {
    if (!can_read(db, pause)) {
      while_waiting();
      continue;
    }
    if (PQconsumeInput(db) == 0) return false;
  }
  return true;
}

bool is_copy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

// Nobody sends rows, and nobody wants them: the first fails with these words, the second goes by.
void end_copy(PGconn* db, ExecStatusType direction) {
  if (direction != PGRES_COPY_OUT) {
    PQputCopyEnd(db, "a migration cannot read from standard input");
    return;
  }
  for (char* row = nullptr; PQgetCopyData(db, &row, 0) > 0;) PQfreemem(row);
}

}  // namespace

std::optional<script_failure> run_script(quern::connection& db, const std::string& sql, std::chrono::milliseconds pause,
                                         const std::function<void()>& while_waiting, open_transactions left) {
  PGconn* const handle = db.native();
  if (PQsendQuery(handle, sql.c_str()) == 0) return lost(handle, {}, 0);
  std::optional<script_failure> failed;
  std::size_t completed = 0;
  for (;;) {
    if (!wait_for_result(handle, pause, while_waiting)) return lost(handle, failed, completed);
    const owned_result result{PQgetResult(handle)};
    if (!result) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (is_copy(status)) {
      end_copy(handle, status);
    } else if (status == PGRES_FATAL_ERROR && !failed) {
      failed = script_failure{quern::session::describe(result.get(), {}), completed};
    } else {
      ++completed;
    }
  }
  // Only libpq itself fails without a code: the connection broke, whatever it says of its status.
  const bool is_broken = failed && failed->details.sqlstate.empty();
  if (is_broken || PQstatus(handle) == CONNECTION_BAD) return lost(handle, failed, completed);
  const bool may_stay = !failed && left == open_transactions::stay;
  if (PQtransactionStatus(handle) != PQTRANS_IDLE && !may_stay) owned_result{PQexec(handle, "rollback")};
  return failed;
}

}  // namespace migrate
