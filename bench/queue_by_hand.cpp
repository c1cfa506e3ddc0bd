// Claim and acknowledge in two transactions, against the table that is written by hand for such work. As a worker does
// it, the acknowledgement of a batch goes with the claim of the next one.

#include <fmt/format.h>

#include "hand_table.hpp"
#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"

namespace bench {
namespace {

using contract = shop::email_v1_contract;

row by_hand_row(const scene& where, int batch, int consumers, double at_least) {
  refilled<claiming<contract>> with{where, consumers, batch, fill_anew<contract>, batch};
  refilled<by_hand> without{where, consumers, batch, fill_tasks, batch};
  const comparison measured = compare(
      where.how.rounds, [&] { return with(); }, [&] { return without(); });
  return message_row(fmt::format("claim, ack of {}, {} consumer{}", batch, consumers, consumers == 1 ? "" : "s"),
                     "the same of a table by hand", measured, at_least);
}

}  // namespace

std::vector<row> queue_by_hand_rows(const scene& where) {
  quern::connection db{where.url};
  make_tasks(db);
  std::vector<row> rows;
  for (const int consumers : {1, 4, 16})
    for (const auto& [batch, at_least] : {std::pair{1, 1.3}, std::pair{10, 1.5}, std::pair{100, 2.0}})
      rows.push_back(by_hand_row(where, batch, consumers, at_least));
  return rows;
}

}  // namespace bench
