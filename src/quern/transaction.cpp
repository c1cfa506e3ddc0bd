#include "quern/transaction.hpp"

#include <cassert>
#include <stdexcept>

#include "quern/session.hpp"
#include "quern/sqlstate.hpp"

namespace quern {
namespace {

std::string_view begin_statement(isolation level) {
  switch (level) {
    case isolation::as_configured:
      break;
    case isolation::read_committed:
      return "begin isolation level read committed";
    case isolation::repeatable_read:
      return "begin isolation level repeatable read";
    case isolation::serializable:
      return "begin isolation level serializable";
  }
  return "begin";
}

// The server answers COMMIT of a failed transaction with a rollback, not with an error.
void expect_committed(const result& answer) {
  if (answer.command() != "ROLLBACK") return;
  failure details;
  details.message = "the transaction was rolled back: one of its statements had failed";
  details.sqlstate = sqlstate::in_failed_transaction;
  details.statement = "commit";
  throw database_error{std::move(details)};
}

}  // namespace

transaction::transaction(connection& on, isolation level) : on_{&on} {
  if (on.is_in_transaction()) throw std::logic_error{"quern::transaction: the connection is already in a transaction"};
  on.execute(begin_statement(level));
  is_open_ = true;
}

transaction::~transaction() {
  if (!is_open_ || !on_->is_usable()) return;
  try {
    rollback();
  } catch (const std::exception&) {
    // Only a lost connection comes here, and losing it is a rollback.
    assert(!on_->is_in_transaction());
  }
}

void transaction::commit() {
  if (!is_open_) throw std::logic_error{"quern::transaction: it has already ended"};
  session& inside = *on_->session_;
  inside.expect_ready("commit");
  is_open_ = false;
  parameters& none = on_->cleared_parameters();
  inside.send("commit", nullptr, none.bind());
  expect_committed(inside.read_result("commit", true));
}

void transaction::rollback() {
  if (!is_open_) throw std::logic_error{"quern::transaction: it has already ended"};
  is_open_ = false;
  on_->execute("rollback");
}

}  // namespace quern
