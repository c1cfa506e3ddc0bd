// What a log gains or costs: claim and acknowledge in one transaction, from a queue that is stored in a log and from
// one that is stored in rows.

#include <fmt/format.h>

#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"
#include "shop/email_log.hpp"

namespace bench {
namespace {

using rows_contract = shop::email_v1_contract;
using log_contract = shop::email_log_v1_contract;

/// One side: a queue that is filled anew for each round.
template <class Contract>
class side_of {
 public:
  side_of(const scene& where, int consumers, int batch)
      : db_{where.url}, time_{where.how.time}, with_{consumers, where.url, batch}, step_{batch * consumers} {
    depth_ = static_cast<std::int64_t>((batch == 1 ? 20'000 : 200'000) * time_.count()) + 4 * step_;
  }

  measure operator()() {
    empty<Contract>(db_);
    fill<Contract>(db_, depth_);
    const measure taken = with_.run(time_);
    with_.for_each([](auto& each) { each.let_go(); });
    depth_ = 2 * static_cast<std::int64_t>(taken.count) + 8 * step_;
    return taken;
  }

 private:
  quern::connection db_;
  std::chrono::duration<double> time_;
  crew<claiming<Contract>> with_;
  std::int64_t step_;
  std::int64_t depth_ = 0;
};

}  // namespace

std::vector<row> queue_log_rows(const scene& where) {
  std::vector<row> rows;
  for (const int batch : {1, 100}) {
    for (const int consumers : {1, 4}) {
      side_of<log_contract> with{where, consumers, batch};
      side_of<rows_contract> without{where, consumers, batch};
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
