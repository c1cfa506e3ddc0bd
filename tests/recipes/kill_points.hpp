#pragma once

#include <functional>
#include <quern/connection.hpp>
#include <string>

#include "support/database.hpp"

namespace test {

/// Points of a step at which the server can be told to end, or to hold up, the session that does the step.
enum class server_point {
  begin_row,     // outside of a transaction: before the row that says that it was begun
  begin_commit,  // outside of a transaction: with that row, not committed
  statement,     // after the first statement that defines something
  end_row,       // all of its SQL was executed, its last trace in the ledger is missing
  end_commit,    // with that trace, not committed
};

/// `before the row that says that it was begun`
std::string_view spell(server_point at);

/// A database whose server ends sessions at points of the step that they do. What that takes stands in a schema of its
/// own and is there for nobody but sessions that ask for it; the ledger has to exist.
class kill_points {
 public:
  explicit kill_points(const database& of);

  /// A connection string whose session dies at its first point of that kind.
  std::string dying_at(server_point at) const;

  /// A connection string whose sessions do not go past that point before open_gate().
  std::string held_up_at(server_point at) const;

  void close_gate();
  void open_gate();

  /// Until a session has arrived at the closed gate, or `is_over`; whether one has.
  bool wait_for_arrival(const std::function<bool()>& is_over);

  /// Until the session of a runner waits for older transactions, or `is_over`; whether one does.
  bool wait_for_waiting(const std::function<bool()>& is_over);

  void end_runners();
  void wait_until_runners_are_gone();

  /// The same as long as nothing is defined, changed or dropped in this database.
  std::int64_t fingerprint();

  /// How many statements have defined something so far.
  std::int64_t definitions();

 private:
  bool wait_for(const std::string& query, const std::function<bool()>& is_over);

  std::string url_;
  quern::connection watcher_;
  std::int64_t arrived_ = 0;
};

}  // namespace test
