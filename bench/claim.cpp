// Claim and acknowledge, both durable, against as many clients that insert one by one into an equal table.

#include <fmt/format.h>

#include "bare_table.hpp"
#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {
namespace {

using contract = shop::email_v1_contract;

// More than can be handled in the time, before that was measured once. A side that runs dry ends early and counts by
// the time it took.
std::int64_t enough(const scene& where, int batch) {
  const double a_second = batch == 1 ? 20'000 : batch == 10 ? 80'000 : 200'000;
  return static_cast<std::int64_t>(a_second * where.how.time.count()) + 4 * batch;
}

row claim_row(const scene& where, quern::connection& db, int batch, int consumers, std::optional<double> at_least) {
  crew<claiming<contract>> with{consumers, where.url, batch};
  crew<bare_insert> without{consumers, where.url};
  std::int64_t depth = enough(where, batch);
  const auto claim = [&] {
    empty<contract>(db);
    fill<contract>(db, depth);
    const measure taken = with.run(where.how.time);
    with.for_each([](auto& each) { each.let_go(); });
    depth = 2 * static_cast<std::int64_t>(taken.count) + 8 * batch * consumers;
    return taken;
  };
  db.execute("truncate shop.bare");
  db.execute("checkpoint");
  const comparison measured = compare(where.how.rounds, claim, [&] { return without.run(where.how.time); });
  return message_row(fmt::format("claim + ack of {}, {} consumer{}", batch, consumers, consumers == 1 ? "" : "s"),
                     fmt::format("prepared INSERT, {} client{}", consumers, consumers == 1 ? "" : "s"), measured,
                     at_least);
}

}  // namespace

std::vector<row> claim_rows(const scene& where) {
  quern::connection db{where.url};
  std::vector<row> rows;
  for (const int consumers : {1, 4})
    for (const int batch : {1, 10, 100})
      rows.push_back(
          claim_row(where, db, batch, consumers, batch == 100 && consumers == 4 ? std::optional{8.0} : std::nullopt));
  return rows;
}

}  // namespace bench
