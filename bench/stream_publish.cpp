// One event a call and a transaction, against as many clients that insert the same columns into a plain table.

#include <fmt/format.h>

#include "bare_log.hpp"
#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

row publish_row(const scene& where, quern::connection& db, int producers, std::optional<double> at_least) {
  empty_stream<shop::activity_v1_contract>(db);
  db.execute("truncate shop.bare_event");
  db.execute("checkpoint");
  crew<publishing> with{producers, where.url};
  crew<bare_publishing> without{producers, where.url};
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return message_row(fmt::format("publish, {} producer{}", producers, producers == 1 ? "" : "s"),
                     fmt::format("prepared INSERT, {} client{}", producers, producers == 1 ? "" : "s"), measured,
                     at_least);
}

}  // namespace

std::vector<row> stream_publish_rows(const scene& where) {
  quern::connection db{where.url};
  return {publish_row(where, db, 1, {}), publish_row(where, db, 4, 0.80), publish_row(where, db, 16, 0.80)};
}

}  // namespace bench
