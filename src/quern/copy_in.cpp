#include "quern/copy_in.hpp"

#include <climits>
#include <stdexcept>
#include <utility>

#include "quern/session.hpp"

namespace quern {
namespace {

// The file header of the binary format (COPY in PostgreSQL's manual): signature, flags, length of the extension.
constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};
constexpr std::uint16_t trailer = 0xffff;

}  // namespace

copy_in::copy_in(connection& on, std::string_view statement) : session_{on.session_.get()}, statement_{statement} {
  session_->expect_ready(statement);
  commits_by_itself_ = session_->commits_by_itself();
  if (PQsendQuery(session_->pq(), std::string{statement}.c_str()) == 0) session_->fail(statement, false);
  result answer{PQgetResult(session_->pq())};
  if (PQresultStatus(answer.native()) != PGRES_COPY_IN) {
    session_->read_results(statement, false, std::move(answer));
    throw std::logic_error{"quern::copy_in: the statement is no COPY … FROM STDIN"};
  }
  out_.types = &session_->enums;
  out_.put_bytes(signature.data(), signature.size());
  out_.put(std::uint32_t{0});
  out_.put(std::uint32_t{0});
}

copy_in::~copy_in() {
  if (is_open_) abandon();
}

void copy_in::flush() {
  const char* data = out_.data();
  std::size_t left = out_.size();
  while (left != 0) {
    const std::size_t part = left < INT_MAX ? left : std::size_t{INT_MAX};
    if (PQputCopyData(session_->pq(), data, static_cast<int>(part)) != 1) fail();
    data += part;
    left -= part;
  }
  out_.clear_beyond(flush_size * 16);
}

std::uint64_t copy_in::finish() {
  out_.put(trailer);
  flush();
  is_open_ = false;
  if (PQputCopyEnd(session_->pq(), nullptr) != 1) session_->fail(statement_, commits_by_itself_);
  return session_->read_result(statement_, commits_by_itself_).affected_rows();
}

void copy_in::fail() {
  is_open_ = false;
  PQputCopyEnd(session_->pq(), "the client has stopped");
  session_->read_results(statement_, false);
  session_->fail(statement_, false);
}

void copy_in::abandon() noexcept {
  PQputCopyEnd(session_->pq(), "the client has given up");
  while (PGresult* const rest = PQgetResult(session_->pq())) PQclear(rest);
}

}  // namespace quern
