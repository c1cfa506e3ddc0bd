#pragma once

#include <memory>
#include <stdexcept>
#include <string>

namespace quern {

/// What is known of a failure. The texts are empty where the server or the library has nothing to say.
struct failure {
  std::string message;
  std::string sqlstate;  // five characters
  std::string detail;
  std::string hint;
  std::string context;     // the server's call stack, innermost first
  std::string constraint;  // the constraint that refused a row
  std::string statement;   // the SQL that failed
  int position = 0;        // in `statement`, in characters from 1; 0: not known
  bool is_connection_lost = false;
  bool is_outcome_unknown = false;
};

/// The base of everything that the library throws when the world fails. Copies are cheap and never throw.
class error : public std::runtime_error {
 public:
  explicit error(failure details);

  /// Trying again may succeed and repeats nothing: either the server rolled the work back for a passing reason
  /// (serialization, deadlock, lock timeout, no room on the disk or in memory, too many connections, starting up), or
  /// the connection was lost before the work could have been committed (then a new connection is needed).
  bool is_retryable() const noexcept;

  /// The connection is gone, or was never made. Everything that uses it fails from now on.
  bool connection_lost() const noexcept { return details_->is_connection_lost; }

  /// The connection was lost while a commit was under way: the work may or may not have been done.
  bool outcome_unknown() const noexcept { return details_->is_outcome_unknown; }

  /// Five characters, see quern/sqlstate.hpp; empty where no server took part.
  const std::string& sqlstate() const noexcept { return details_->sqlstate; }

  /// The first line alone; what() adds detail and hint on lines of their own.
  const std::string& message() const noexcept { return details_->message; }

  const std::string& detail() const noexcept { return details_->detail; }

  const std::string& hint() const noexcept { return details_->hint; }

  const std::string& context() const noexcept { return details_->context; }

  const std::string& constraint() const noexcept { return details_->constraint; }

  const std::string& statement() const noexcept { return details_->statement; }

  /// Where in statement(), in characters from 1; 0 when it is not known.
  int position() const noexcept { return details_->position; }

 private:
  std::shared_ptr<const failure> details_;
};

/// The connection could not be made or was lost.
class connection_error : public error {
 public:
  using error::error;
};

/// The server refused a statement; the connection can be used further.
class database_error : public error {
 public:
  using error::error;
};

/// The program was generated from another contract than the one that the database has, or the database was not
/// migrated.
class contract_mismatch : public database_error {
 public:
  using database_error::database_error;
};

/// A value that PostgreSQL cannot hold (nothing was sent), or bytes from the server that are no value of the type.
class codec_error : public error {
 public:
  explicit codec_error(std::string message);
};

/// Throws the member of the set that fits.
[[noreturn]] void throw_failure(failure details);

}  // namespace quern
