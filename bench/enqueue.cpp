// One message a call and a transaction, against as many clients that insert the same columns into an equal table.

#include <fmt/format.h>

#include "bare_table.hpp"
#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {
namespace {

row enqueue_row(const scene& where, quern::connection& db, int producers, std::optional<double> at_least) {
  empty<shop::email_v1_contract>(db);
  db.execute("truncate shop.bare");
  db.execute("checkpoint");
  crew<enqueuing> with{producers, where.url};
  crew<bare_insert> without{producers, where.url};
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return message_row(fmt::format("enqueue, {} producer{}", producers, producers == 1 ? "" : "s"),
                     fmt::format("prepared INSERT, {} client{}", producers, producers == 1 ? "" : "s"), measured,
                     at_least);
}

}  // namespace

std::vector<row> enqueue_rows(const scene& where) {
  quern::connection db{where.url};
  return {enqueue_row(where, db, 1, {}), enqueue_row(where, db, 4, 0.85), enqueue_row(where, db, 16, 0.85)};
}

}  // namespace bench
