// Many events by COPY, against a COPY of rows that were encoded before, so that the limit spends nothing on it.

#include <fmt/format.h>

#include "bare_copy.hpp"
#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {

std::vector<row> stream_bulk_rows(const scene& where) {
  using contract = shop::activity_v1_contract;
  quern::connection db{where.url};
  shop::activity_producer producer{db};
  std::vector<shop::activity> made;
  for (std::int64_t i = 0; i < where.how.bulk_count; ++i) made.push_back(event<shop::activity>(i));
  const quern::wire::writer encoded = encoded_rows<contract>(made);
  const std::string copy =
      "copy shop.bare_event (contract_version, customer_id, kind, detail) from stdin (format binary)";

  // Once: what is truncated is never written out.
  db.execute("checkpoint");
  const auto with = [&] {
    empty_stream<contract>(db);
    return timed(db, made.size(), [&] { producer.publish_all(made); });
  };
  const auto without = [&] {
    db.execute("truncate shop.bare_event");
    return timed(db, made.size(), [&] { copy_encoded(db, copy, encoded); });
  };
  const comparison measured = compare(where.how.rounds, with, without);
  return {message_row(fmt::format("publish_all of {}", made.size()), "COPY BINARY, encoded before", measured, 0.55)};
}

}  // namespace bench
