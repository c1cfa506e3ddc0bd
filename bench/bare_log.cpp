#include "bare_log.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <bit>
#include <memory>
#include <stdexcept>

#include "event.hpp"

namespace bench {
namespace {

using result_handle = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr const char* insert = "bare_publish";
constexpr const char* page = "bare_page";
constexpr int page_size = 1000;
constexpr int binary = 1;

result_handle expect(PGconn* handle, PGresult* raw, ExecStatusType status) {
  result_handle result{raw, &PQclear};
  if (PQresultStatus(result.get()) != status)
    throw std::runtime_error{fmt::format("the bare log failed: {}", PQerrorMessage(handle))};
  return result;
}

quern::parameters encoded_event() {
  quern::parameters values;
  const auto made = event<shop::activity>(42);
  quern::for_each_field<shop::activity_v1_contract>(made, [&](const auto& field) { values.add(field); });
  return values;
}

}  // namespace

void make_bare_log(quern::connection& db) {
  db.run_script(
      "create sequence shop.bare_number as bigint;"
      "create table shop.bare_event (like shop.activity_event including constraints including storage);"
      "alter table shop.bare_event drop column segment, drop column stamp,"
      "  add constraint bare_event_key primary key (event_number),"
      "  alter column event_number set default nextval('shop.bare_number'),"
      "  alter column published_at set default clock_timestamp();");
}

bare_publishing::bare_publishing(const std::string& url) : db_{url}, values_{encoded_event()}, bound_{values_.bind()} {
  PGconn* const handle = db_.native();
  expect(handle,
         PQprepare(handle, insert,
                   "insert into shop.bare_event (contract_version, customer_id, kind, detail) values (1, $1, $2, $3)",
                   bound_.count, bound_.types),
         PGRES_COMMAND_OK);
}

progress bare_publishing::step() {
  PGconn* const handle = db_.native();
  expect(handle, PQexecPrepared(handle, insert, bound_.count, bound_.values, bound_.lengths, bound_.formats, binary),
         PGRES_COMMAND_OK);
  return {.count = 1};
}

bare_reading::bare_reading(const std::string& url, std::int64_t after, std::int64_t count)
    : db_{url}, first_{after}, end_{after + count}, after_{after} {
  PGconn* const handle = db_.native();
  expect(handle,
         PQprepare(handle, page,
                   "select event_number, published_at, customer_id, kind, detail from shop.bare_event "
                   "where event_number > $1 and event_number <= $1 + 1000 order by event_number",
                   1, nullptr),
         PGRES_COMMAND_OK);
}

progress bare_reading::step() {
  if (after_ >= end_) after_ = first_;
  quern::parameters values;
  values.add(after_);
  const auto bound = values.bind();
  PGconn* const handle = db_.native();
  const auto rows =
      expect(handle, PQexecPrepared(handle, page, bound.count, bound.values, bound.lengths, bound.formats, binary),
             PGRES_TUPLES_OK);
  after_ += page_size;
  return {.count = static_cast<std::uint64_t>(PQntuples(rows.get()))};
}

}  // namespace bench
