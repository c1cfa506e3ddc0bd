#include "bare_table.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

#include "mail.hpp"

namespace bench {
namespace {

using result_handle = std::unique_ptr<PGresult, decltype(&PQclear)>;

void expect_done(PGconn* handle, PGresult* raw) {
  const result_handle result{raw, &PQclear};
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
    throw std::runtime_error{fmt::format("the bare insert failed: {}", PQerrorMessage(handle))};
}

constexpr const char* statement = "bare_insert";

}  // namespace

void make_bare_table(quern::connection& db) {
  const auto settings =
      db.execute("select array_to_string(reloptions, ', ') from pg_class where oid = 'shop.email_message'::regclass")
          .value<std::string>();
  db.run_script(
      fmt::format("create sequence shop.bare_id as bigint;"
                  "create table shop.bare (like shop.email_message including defaults including constraints "
                  "including indexes including storage) with ({});"
                  "alter table shop.bare alter column message_id set default nextval('shop.bare_id');",
                  settings));
}

bare_insert::bare_insert(const std::string& url)
    : db_{url}, values_{encoded_mail<shop::email_v1_contract>(42)}, bound_{values_.bind()} {
  const std::string sql = fmt::format(
      "insert into shop.bare (contract_version, {}) values (1, $1, $2, $3, $4, $5, $6, $7, $8)", payload_columns);
  PGconn* const handle = db_.native();
  expect_done(handle, PQprepare(handle, statement, sql.c_str(), bound_.count, bound_.types));
}

progress bare_insert::step() {
  PGconn* const handle = db_.native();
  constexpr int binary = 1;
  expect_done(handle,
              PQexecPrepared(handle, statement, bound_.count, bound_.values, bound_.lengths, bound_.formats, binary));
  return {.count = 1};
}

}  // namespace bench
