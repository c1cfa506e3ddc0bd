// What priorities cost: claim and acknowledge a hundred at a time, from a queue with three of them and from one
// without.

#include <fmt/format.h>

#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"
#include "shop/email_urgent.hpp"

namespace bench {
namespace {

using plain = shop::email_v1_contract;
using urgent = shop::email_urgent_v1_contract;

constexpr int batch = 100;

/// As many messages of each priority, the last ones first.
void fill_by_priority(quern::connection& db, std::int64_t count) {
  empty<urgent>(db);
  const auto made =
      std::views::iota(std::int64_t{0}, count / urgent::priorities) | std::views::transform(mail<shop::email_urgent>);
  for (std::int32_t priority = urgent::priorities; priority-- > 0;)
    quern::producer<urgent>{db}.enqueue_all(made, {.priority = priority});
  check_interrupt();
  db.execute("vacuum (analyze) shop.email_urgent_message");
}

}  // namespace

std::vector<row> priority_rows(const scene& where) {
  std::vector<row> rows;
  for (const int consumers : {1, 4}) {
    refilled<claiming<urgent>> with{where, consumers, batch, fill_by_priority, batch};
    refilled<claiming<plain>> without{where, consumers, batch, fill_anew<plain>, batch};
    const comparison measured = compare(
        where.how.rounds, [&] { return with(); }, [&] { return without(); });
    rows.push_back(message_row(
        fmt::format("claim + ack of 100 in 3 priorities, {} consumer{}", consumers, consumers == 1 ? "" : "s"),
        "the same without priorities", measured));
  }
  return rows;
}

}  // namespace bench
