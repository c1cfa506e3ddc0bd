#include "quern/pipeline.hpp"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

#include "quern/session.hpp"

namespace quern {
namespace {

constexpr std::string_view end_of_transaction;  // among statements, of which none is empty

}  // namespace

pipeline::pipeline(connection& on) : session_{on.session_.get()} {
  session_->expect_ready("pipeline");
  commits_by_itself_ = session_->commits_by_itself();
  if (PQenterPipelineMode(session_->pq()) == 0) session_->fail("pipeline", false);
}

pipeline::~pipeline() {
  while (!pending_.empty()) skip_transaction();
  PQexitPipelineMode(session_->pq());
}

void pipeline::prepare(connection& on, const prepared& statement, parameters& values, std::size_t first,
                       std::size_t count) {
  if (!on.session_->settings.options.use_prepared_statements) return;
  on.session_->expect_ready(statement.sql);
  on.session_->prepare(statement.sql, values.bind(first, count));
}

void pipeline::add(const prepared& statement, parameters& values, std::size_t first, std::size_t count) {
  const auto bound = values.bind(first, count);
  const std::string* name = nullptr;
  if (session_->settings.options.use_prepared_statements) {
    const auto found = session_->statements.find(statement.sql);
    if (found == session_->statements.end())
      throw std::logic_error{"quern::pipeline: prepare a statement before the pipeline begins"};
    name = &found->second;
  }
  session_->send(statement.sql, name, bound);
  pending_.push_back(statement.sql);
}

void pipeline::sync() {
  if (PQpipelineSync(session_->pq()) == 0) session_->fail("commit", commits_by_itself_);
  pending_.push_back(end_of_transaction);
}

result pipeline::next() {
  assert(!pending_.empty() && pending_.front() != end_of_transaction);
  const std::string_view statement = pending_.front();
  result answer{PQgetResult(session_->pq())};
  PGresult* const raw = answer.native();
  if (raw == nullptr) lose(statement);
  const ExecStatusType status = PQresultStatus(raw);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(session_->describe(raw, statement));
  pending_.pop_front();
  // The end of this statement's results.
  while (PGresult* const more = PQgetResult(session_->pq())) PQclear(more);
  return answer;
}

void pipeline::finish() {
  assert(!pending_.empty() && pending_.front() == end_of_transaction);
  const result answer{PQgetResult(session_->pq())};
  PGresult* const raw = answer.native();
  if (raw == nullptr) lose("commit");
  if (PQresultStatus(raw) != PGRES_PIPELINE_SYNC) fail(session_->describe(raw, "commit"));
  pending_.pop_front();
}

// Nothing comes though something should.
void pipeline::lose(std::string_view statement) {
  session_->is_broken = true;
  session_->fail(statement, commits_by_itself_);
}

void pipeline::fail(const failure& details) {
  failure complete = details;
  // Only libpq itself fails without a code: the connection broke.
  session_->is_broken = session_->is_broken || details.sqlstate.empty();
  skip_transaction();
  complete.is_connection_lost = session_->is_lost();
  complete.is_outcome_unknown = session_->is_lost() && commits_by_itself_;
  session_->forget_lost_statements(complete);
  throw_failure(std::move(complete));
}

void pipeline::skip_transaction() noexcept {
  const auto end = std::ranges::find(pending_, end_of_transaction);
  if (end == pending_.end() && PQpipelineSync(session_->pq()) == 0) session_->is_broken = true;
  bool is_end = false;  // of one statement's results: none follows another
  bool is_over = false;
  while (!is_over && !session_->is_lost()) {
    PGresult* const raw = PQgetResult(session_->pq());
    // When it could not write, libpq gives up and calls the connection good.
    if (raw == nullptr && is_end) session_->is_broken = true;
    is_end = raw == nullptr;
    is_over = PQresultStatus(raw) == PGRES_PIPELINE_SYNC;
    PQclear(raw);
  }
  pending_.erase(pending_.begin(), end == pending_.end() || session_->is_lost() ? pending_.end() : end + 1);
}

}  // namespace quern
