#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace quern {

/// The inside of a connection, which transaction, pipeline and copy_in share. Not a public header: it shows libpq.
struct session {
  struct finish {
    void operator()(PGconn* opened) const noexcept { PQfinish(opened); }
  };

  struct text_hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unique_ptr<PGconn, finish> handle;
  connection_settings settings;
  parameters scratch;
  enum_types enums;
  std::function<void(const notice&)> notice_handler;
  // Statement text → the name under which the server has it.
  std::unordered_map<std::string, std::string, text_hash, std::equal_to<>> statements;
  std::uint64_t prepared_count = 0;
  // libpq calls a connection good on which it could neither write nor read, until somebody tries again.
  bool is_broken = false;

  PGconn* pq() const noexcept { return handle.get(); }

  bool is_lost() const noexcept { return is_broken || PQstatus(pq()) == CONNECTION_BAD; }

  /// Work that is sent now is committed by the server on its own: when the connection is lost, nobody knows.
  bool commits_by_itself() const noexcept { return PQtransactionStatus(pq()) == PQTRANS_IDLE; }

  /// Makes the connection of the settings, in place of one that is there. Throws connection_error.
  void open();

  /// Throws unless a statement may be sent now.
  void expect_ready(std::string_view statement) const;

  /// The server's name of a statement, preparing it when it is new here.
  const std::string& prepare(std::string_view sql, const parameters::bound& types);

  /// Sends one execution: by the name under which it is prepared, or whole when that is null. Throws connection_error
  /// when that fails.
  void send(std::string_view sql, const std::string* name, const parameters::bound& values);

  /// Reads all results of what was sent, behind `first` when that was read already. Throws the first error.
  /// `is_commit`: a loss leaves the outcome unknown.
  std::vector<result> read_results(std::string_view statement, bool is_commit, result first = {});

  /// As read_results(), of one statement.
  result read_result(std::string_view statement, bool is_commit);

  /// After a pooler or DISCARD ALL has taken prepared statements away: they are prepared again when they are next used.
  void forget_lost_statements(const failure& details);

  /// The error that a result of the server stands for.
  static failure describe(const PGresult* result, std::string_view statement);

  /// The error of a call of libpq that failed without a result.
  [[noreturn]] void fail(std::string_view statement, bool is_outcome_unknown) const;
};

}  // namespace quern
