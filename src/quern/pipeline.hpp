#pragma once

#include <cstddef>
#include <deque>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string_view>

namespace quern {

/// Statements that are sent without waiting for each other's results: one round trip for all.
///
/// Outside of a transaction what stands before a sync() is a transaction of its own: all of it happens or nothing.
/// After a statement has failed the server skips the rest up to the sync. The connection must outlive the pipeline and
/// does nothing else meanwhile. What is sent is committed even when the pipeline is left by an exception: encode what
/// may fail before the first add().
class pipeline {
 public:
  /// Throws std::logic_error when the connection is busy, connection_error when it is lost. The statements must have
  /// been prepared: see prepare().
  explicit pipeline(connection& on);
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;

  /// Reads what is still under way and drops it.
  ~pipeline();

  /// Prepares a statement on a connection before a pipeline begins there. `types` are those of all its executions.
  static void prepare(connection& on, const prepared& statement, parameters& values, std::size_t first,
                      std::size_t count);

  /// Sends one execution, with `count` of the parameters from `first` on.
  void add(const prepared& statement, parameters& values, std::size_t first, std::size_t count);

  void add(const prepared& statement, parameters& values) { add(statement, values, 0, values.size()); }

  /// Ends the transaction of what was added so far.
  void sync();

  /// The result of the next execution in the order in which they were added. Call sync() first.
  /// Throws the failure of this execution: its transaction is over then, and the next result is of the one behind it.
  result next();

  /// Reads the end of the transaction: after this it is committed. Throws when the commit failed; with
  /// outcome_unknown() when the connection was lost before it was confirmed.
  void finish();

 private:
  [[noreturn]] void lose(std::string_view statement);
  [[noreturn]] void fail(const failure& details);
  void skip_transaction() noexcept;

  session* session_;
  std::deque<std::string_view> pending_;  // statements whose results have not been read, and ends of transactions
  bool commits_by_itself_;
};

}  // namespace quern
