// What an order costs: claim and acknowledge from a queue of ten thousand keys, of each one at a time, and from one
// without.

#include <fmt/format.h>

#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"
#include "shop/email_ordered.hpp"

namespace bench {
namespace {

using ordered = shop::email_ordered_v1_contract;
using plain = shop::email_v1_contract;

}  // namespace

std::vector<row> queue_ordered_rows(const scene& where) {
  std::vector<row> rows;
  for (const int batch : {1, 100}) {
    for (const int consumers : {1, 4}) {
      refilled<claiming<ordered>> with{where, consumers, batch, fill_anew<ordered>, batch};
      refilled<claiming<plain>> without{where, consumers, batch, fill_anew<plain>, batch};
      const comparison measured = compare(
          where.how.rounds, [&] { return with(); }, [&] { return without(); });
      rows.push_back(message_row(fmt::format("claim + ack of {} in order, 10,000 keys, {} consumer{}", batch, consumers,
                                             consumers == 1 ? "" : "s"),
                                 "the same without an order", measured));
    }
  }
  return rows;
}

}  // namespace bench
