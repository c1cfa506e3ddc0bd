// Many messages by COPY, against a COPY of rows that were encoded before, so that the limit spends nothing on it.

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "bare_table.hpp"
#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {
namespace {

// The rows in COPY's binary format (signature, flags, length of the header's extension; then the rows; then -1).
quern::wire::writer encoded_rows(const std::vector<shop::email>& mails) {
  using contract = shop::email_v1_contract;
  quern::wire::writer out;
  out.put_bytes("PGCOPY\n\377\r\n\0", 11);
  out.put(std::uint32_t{0});
  out.put(std::uint32_t{0});
  for (const shop::email& each : mails) {
    out.put(static_cast<std::uint16_t>(quern::field_count<contract>() + 1));
    quern::encode_field(out, std::int16_t{1});
    quern::for_each_field<contract>(each, [&](const auto& field) { quern::encode_field(out, field); });
  }
  out.put(std::uint16_t{0xffff});
  return out;
}

void copy_bare(quern::connection& db, const quern::wire::writer& encoded) {
  constexpr std::size_t part = 65'536;
  PGconn* const handle = db.native();
  const std::string sql =
      fmt::format("copy shop.bare (contract_version, {}) from stdin (format binary)", payload_columns);
  PQclear(PQexec(handle, sql.c_str()));
  for (std::size_t sent = 0; sent < encoded.size(); sent += part)
    PQputCopyData(handle, encoded.data() + sent, static_cast<int>(std::min(part, encoded.size() - sent)));
  PQputCopyEnd(handle, nullptr);
  PGresult* const result = PQgetResult(handle);
  const bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  if (!is_done) throw std::runtime_error{fmt::format("the bare COPY failed: {}", PQerrorMessage(handle))};
  PQclear(PQgetResult(handle));
}

template <class Work>
measure timed(quern::connection& db, std::size_t count, Work work) {
  check_interrupt();
  const double before = processor_seconds({db.backend_pid()});
  const auto begin = clock::now();
  work();
  const std::chrono::duration<double> taken = clock::now() - begin;
  return {.count = count, .seconds = taken.count(), .server_seconds = processor_seconds({db.backend_pid()}) - before};
}

}  // namespace

std::vector<row> bulk_rows(const scene& where) {
  quern::connection db{where.url};
  shop::email_producer producer{db};
  std::vector<shop::email> mails;
  for (std::int64_t i = 0; i < where.how.bulk_count; ++i) mails.push_back(mail<shop::email>(i));
  const quern::wire::writer encoded = encoded_rows(mails);

  // Once: what is truncated is never written out.
  db.execute("checkpoint");
  const auto with = [&] {
    empty<shop::email_v1_contract>(db);
    return timed(db, mails.size(), [&] { producer.enqueue_all(mails); });
  };
  const auto without = [&] {
    db.execute("truncate shop.bare");
    return timed(db, mails.size(), [&] { copy_bare(db, encoded); });
  };
  const comparison measured = compare(where.how.rounds, with, without);
  return {message_row(fmt::format("enqueue_all of {}", mails.size()), "COPY BINARY, encoded before", measured, 0.55)};
}

}  // namespace bench
