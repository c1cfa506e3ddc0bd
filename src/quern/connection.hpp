#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <quern/parameters.hpp>
#include <quern/result.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;  // libpq's PGconn

namespace quern {

struct session;
class interruption;

/// A statement that a connection prepares when it is first executed there and then keeps prepared: for the fixed
/// statements of a program, not for texts that are made at run time.
struct prepared {
  std::string_view sql;
};

/// What the server says besides results: warnings, RAISE NOTICE.
struct notice {
  std::string_view severity;  // "WARNING", "NOTICE", … never translated
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail;
  std::string_view hint;
};

/// What a NOTIFY on a channel brought.
struct notification {
  std::string channel;
  std::string payload;
  int backend_pid = 0;  // of the session that notified
};

enum class transaction_status { idle, active, open, failed, unknown };

using deadline = std::chrono::steady_clock::time_point;

/// A deadline that never comes.
inline constexpr deadline no_deadline = deadline::max();

/// So long from now; also of what is too long for a clock.
inline deadline deadline_after(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds longest = std::chrono::years{100};
  return std::chrono::steady_clock::now() + std::min(time, longest);
}

/// How a connection is made and used.
struct connection_options {
  /// False behind a pooler that hands each transaction to another session: statements are then sent whole each time.
  bool use_prepared_statements = true;
  /// What pg_stat_activity shows where the connection string says nothing.
  std::string application_name = "quern";
  /// How long a connection may be made, and how long what was sent may stay without an answer of the network, before it
  /// is given up; 0: as the connection string says, or the operating system.
  std::chrono::milliseconds network_timeout{0};
};

/// With what a connection was made: enough to make another one like it.
struct connection_settings {
  std::string database;
  connection_options options{};
};

/// Where QUERN_DATABASE points (a URL or libpq's `keyword=value` form); without it an empty text, which leaves all to
/// libpq's own environment (PGHOST, PGDATABASE, PGSERVICE …).
std::string from_environment();

/// One session with a server. Move-only; used by one thread at a time (cancel() aside). Texts travel as UTF-8.
/// After an error with connection_lost() only reopen(), destruction and is_usable() make sense.
class connection {
 public:
  /// `database` is a URL, libpq's `keyword=value` form, the name of a database, or empty for libpq's environment.
  /// Throws connection_error.
  explicit connection(std::string_view database, connection_options options = {});
  explicit connection(connection_settings settings);
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Gives the session up, if it is still there, and makes another one with the same settings. Statements are prepared
  /// again when they are next used; settings, temporary tables, advisory locks and channels of the old session are
  /// gone. Throws connection_error: then it is lost as before.
  void reopen();

  const connection_settings& settings() const noexcept;

  /// Executes one statement with parameters $1, $2 …; both directions are binary. Throws database_error when the server
  /// refuses it, connection_error when the connection is lost, codec_error for a value PostgreSQL cannot hold.
  template <class... Values>
  result execute(std::string_view sql, const Values&... values) {
    return execute_with(sql, collect(values...));
  }

  template <class... Values>
  result execute(const prepared& statement, const Values&... values) {
    return execute_with(statement, collect(values...));
  }

  result execute_with(std::string_view sql, parameters& values);
  result execute_with(const prepared& statement, parameters& values);

  /// Executes any number of statements, separated by semicolons; stops at the first that fails and throws as execute().
  /// Outside of a transaction all of them are one, unless they say `begin` and `commit` themselves. Results are text.
  std::vector<result> run_script(std::string_view sql);

  /// Receives what NOTIFY sends on `channel`, whatever characters the name has, from the end of the transaction on.
  void listen(std::string_view channel);
  void unlisten(std::string_view channel);

  /// Waits for a notification until `until` or until a stop is requested: then nothing. Throws connection_error.
  std::optional<notification> wait_for_notification(deadline until, const std::stop_token& stop = {});

  /// The same until `by` is raised; null: it cannot be.
  std::optional<notification> wait_for_notification(deadline until, const interruption* by);

  /// Called during any member function with what the server says; it must not throw. Without one it is dropped.
  void on_notice(std::function<void(const notice&)> handler);

  /// Asks the server to cancel what this connection is executing, from another thread. The statement then fails with
  /// SQLSTATE 57014, if it is not already done. The connection must neither end nor move meanwhile.
  void cancel() const;

  /// False from the moment that a loss was noticed.
  bool is_usable() const noexcept;

  transaction_status status() const noexcept;

  /// Also when it has failed and waits for its rollback.
  bool is_in_transaction() const noexcept;

  /// The process id of the server's end.
  int backend_pid() const noexcept;

  /// E.g. 150020 for 15.20.
  int server_version() const noexcept;

  /// A server's setting as it reports it by itself, e.g. "in_hot_standby"; nothing when it does not.
  std::optional<std::string> reported_setting(const std::string& name) const;

  /// The enum types met so far, see resolve_enum().
  const enum_types& enums() const noexcept;

  /// Looks up the number of an enum type, once for each connection. Throws database_error when it does not exist.
  void resolve_enum(std::string_view qualified_name);

  /// What libpq calls the connection, for what this class does not cover.
  pg_conn* native() const noexcept;

 private:
  friend class pipeline;
  friend class transaction;
  friend class copy_in;

  template <class... Values>
  parameters& collect(const Values&... values) {
    parameters& scratch = cleared_parameters();
    (scratch.add(values), ...);
    return scratch;
  }

  parameters& cleared_parameters() noexcept;

  std::unique_ptr<session> session_;
};

/// `name` as an SQL identifier: quoted, with quotes inside doubled. Throws codec_error for what is no text.
std::string quoted_identifier(std::string_view name);

}  // namespace quern
