#pragma once

#include <quern/connection.hpp>
#include <string_view>

namespace quern {

/// `as_configured` leaves it to the server's default_transaction_isolation.
enum class isolation { as_configured, read_committed, repeatable_read, serializable };

/// A transaction on a connection from construction to commit(); without that it is rolled back when it ends.
/// Everything that is done on the connection meanwhile belongs to it. The connection must outlive it.
class transaction {
 public:
  /// Throws std::logic_error when the connection is already in a transaction, otherwise as connection::execute().
  explicit transaction(connection& on, isolation level = isolation::as_configured);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// Rolls back what was not committed. When that fails the connection is lost, and the server rolls back by itself.
  ~transaction();

  /// Throws an error with outcome_unknown() when the connection is lost on the way, and database_error with SQLSTATE
  /// 25P02 when an earlier statement had failed: then everything is rolled back.
  void commit();

  void rollback();

  template <class Statement, class... Values>
  result execute(const Statement& statement, const Values&... values) {
    return on_->execute(statement, values...);
  }

  connection& on() const noexcept { return *on_; }

  bool is_open() const noexcept { return is_open_; }

 private:
  connection* on_;
  bool is_open_ = false;
};

}  // namespace quern
