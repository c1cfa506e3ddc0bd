#include <stdexcept>
#include <utility>

#include "quern/session.hpp"
#include "quern/sqlstate.hpp"

// Sending statements and reading their results.
namespace quern {
namespace {

constexpr int binary = 1;

// libpq takes texts that end with a NUL: one inside would silently cut the statement.
std::string terminated(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos) throw codec_error{"a statement must not contain a NUL"};
  return std::string{sql};
}

bool is_error(ExecStatusType status) {
  return status == PGRES_FATAL_ERROR || status == PGRES_NONFATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

// A statement that turns out to be a COPY must be ended, or the connection waits for ever.
void end_copy_to_server(PGconn* handle) {
  PQputCopyEnd(handle, "COPY from the client needs a quern::copy_in, not execute() or run_script()");
}

void end_copy_from_server(PGconn* handle) {
  char* data = nullptr;
  while (PQgetCopyData(handle, &data, 0) > 0) PQfreemem(data);
}

failure refused_copy(std::string_view statement) {
  failure details;
  details.message = "COPY to the client is not supported by execute() and run_script()";
  details.sqlstate = sqlstate::feature_not_supported;
  details.statement = statement;
  return details;
}

}  // namespace

std::vector<result> session::read_results(std::string_view statement, bool is_commit, result first) {
  std::vector<result> results;
  std::optional<failure> refused;
  result each = first.native() != nullptr ? std::move(first) : result{PQgetResult(pq())};
  for (; each.native() != nullptr; each = result{PQgetResult(pq())}) {
    const ExecStatusType status = PQresultStatus(each.native());
    if (is_error(status) && !refused) refused = describe(each.native(), statement);
    if (status == PGRES_COPY_IN) end_copy_to_server(pq());
    if (status == PGRES_COPY_OUT) {
      end_copy_from_server(pq());
      if (!refused) refused = refused_copy(statement);
    }
    results.push_back(std::move(each));
  }
  if (!refused && !is_lost()) return results;
  if (!refused) fail(statement, is_commit);
  // Only libpq itself fails without a code: the connection broke.
  is_broken = is_broken || refused->sqlstate.empty();
  refused->is_connection_lost = is_lost();
  refused->is_outcome_unknown = is_lost() && is_commit;
  forget_lost_statements(*refused);
  throw_failure(std::move(*refused));
}

result session::read_result(std::string_view statement, bool is_commit) {
  auto results = read_results(statement, is_commit);
  return results.empty() ? result{} : std::move(results.back());
}

void session::forget_lost_statements(const failure& details) {
  if (details.sqlstate == sqlstate::invalid_statement_name) statements.clear();
}

const std::string& session::prepare(std::string_view sql, const parameters::bound& types) {
  if (const auto found = statements.find(sql); found != statements.end()) return found->second;
  const std::string text = terminated(sql);
  std::string name = "quern_" + std::to_string(++prepared_count);
  if (PQsendPrepare(pq(), name.c_str(), text.c_str(), types.count, types.types) == 0) fail(sql, false);
  read_results(sql, false);
  return statements.emplace(text, std::move(name)).first->second;
}

void session::send(std::string_view sql, const std::string* name, const parameters::bound& values) {
  const int is_sent = name != nullptr ? PQsendQueryPrepared(pq(), name->c_str(), values.count, values.values,
                                                            values.lengths, values.formats, binary)
                                      : PQsendQueryParams(pq(), terminated(sql).c_str(), values.count, values.types,
                                                          values.values, values.lengths, values.formats, binary);
  if (is_sent == 0) fail(sql, false);
}

std::vector<result> connection::run_script(std::string_view sql) {
  session_->expect_ready(sql);
  const bool is_commit = session_->commits_by_itself();
  if (PQsendQuery(session_->pq(), terminated(sql).c_str()) == 0) session_->fail(sql, false);
  return session_->read_results(sql, is_commit);
}

}  // namespace quern
