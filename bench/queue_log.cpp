// What a log gains or costs: claim and acknowledge in one transaction, from a queue that is stored in a log and from
// one that is stored in rows.

#include <fmt/format.h>

#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"
#include "shop/email_log.hpp"

namespace bench {
namespace {

using rows_contract = shop::email_v1_contract;
using log_contract = shop::email_log_v1_contract;

}  // namespace

std::vector<row> queue_log_rows(const scene& where) {
  std::vector<row> rows;
  for (const int batch : {1, 100}) {
    for (const int consumers : {1, 4}) {
      refilled<claiming<log_contract>> with{where, consumers, batch, fill_anew<log_contract>, batch};
      refilled<claiming<rows_contract>> without{where, consumers, batch, fill_anew<rows_contract>, batch};
      const comparison measured = compare(
          where.how.rounds, [&] { return with(); }, [&] { return without(); });
      rows.push_back(message_row(
          fmt::format("claim + ack of {} from a log, {} consumer{}", batch, consumers, consumers == 1 ? "" : "s"),
          "the same from rows", measured));
    }
  }
  return rows;
}

}  // namespace bench
