// Many messages by COPY, against a COPY of rows that were encoded before, so that the limit spends nothing on it.

#include <fmt/format.h>

#include "bare_copy.hpp"
#include "bare_table.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {

std::vector<row> bulk_rows(const scene& where) {
  quern::connection db{where.url};
  shop::email_producer producer{db};
  std::vector<shop::email> mails;
  for (std::int64_t i = 0; i < where.how.bulk_count; ++i) mails.push_back(mail<shop::email>(i));
  const quern::wire::writer encoded = encoded_rows<shop::email_v1_contract>(mails);
  const std::string copy =
      fmt::format("copy shop.bare (contract_version, {}) from stdin (format binary)", payload_columns);

  // Once: what is truncated is never written out.
  db.execute("checkpoint");
  const auto with = [&] {
    empty<shop::email_v1_contract>(db);
    return timed(db, mails.size(), [&] { producer.enqueue_all(mails); });
  };
  const auto without = [&] {
    db.execute("truncate shop.bare");
    return timed(db, mails.size(), [&] { copy_encoded(db, copy, encoded); });
  };
  const comparison measured = compare(where.how.rounds, with, without);
  return {message_row(fmt::format("enqueue_all of {}", mails.size()), "COPY BINARY, encoded before", measured, 0.55)};
}

}  // namespace bench
