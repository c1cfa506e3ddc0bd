// A page of a thousand a call, by a reader and by a consumer that acknowledges each, against a SELECT of as many rows
// by their key.

#include "bare_copy.hpp"
#include "bare_log.hpp"
#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

using contract = shop::activity_v1_contract;

template <class Client, class... Arguments>
row read_row(const scene& where, std::string what, std::int64_t first, std::int64_t count,
             std::optional<double> at_least, const Arguments&... arguments) {
  crew<Client> with{1, where.url, arguments..., count};
  crew<bare_reading> without{1, where.url, first, count};
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return message_row(std::move(what), "ordered SELECT of 1000, binary", measured, at_least);
}

}  // namespace

std::vector<row> stream_read_rows(const scene& where) {
  const std::int64_t count = std::max<std::int64_t>(where.how.bulk_count / 1000 * 1000, 1000);
  quern::connection db{where.url};
  empty_stream<contract>(db);
  publish_and_seal<contract>(db, count);
  db.execute("truncate shop.bare_event");
  std::vector<shop::activity> made;
  for (const auto& each : events<shop::activity>(count)) made.push_back(each);
  copy_encoded(db, "copy shop.bare_event (contract_version, customer_id, kind, detail) from stdin (format binary)",
               encoded_rows<contract>(made));
  db.execute("vacuum (analyze) shop.bare_event");
  db.execute("checkpoint");
  const auto first = db.execute("select min(event_number) - 1 from shop.bare_event").value<std::int64_t>();
  return {read_row<reading<contract>>(where, "read pages of 1000", first, count, 0.5),
          read_row<receiving<contract>>(where, "receive + ack pages of 1000", first, count, {}, std::string{"reader"})};
}

}  // namespace bench
