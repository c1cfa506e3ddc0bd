// What priorities cost: claim and acknowledge a hundred at a time, from a queue with three of them and from one
// without.

#include <fmt/format.h>

#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"
#include "shop/email_urgent.hpp"

namespace bench {
namespace {

using plain = shop::email_v1_contract;
using urgent = shop::email_urgent_v1_contract;

constexpr int batch = 100;

/// As many messages of each priority, the last ones first.
void fill_by_priority(quern::connection& db, std::int64_t count) {
  const auto made =
      std::views::iota(std::int64_t{0}, count / urgent::priorities) | std::views::transform(mail<shop::email_urgent>);
  for (std::int32_t priority = urgent::priorities; priority-- > 0;)
    quern::producer<urgent>{db}.enqueue_all(made, {.priority = priority});
  check_interrupt();
  db.execute("vacuum (analyze) shop.email_urgent_message");
}

/// One side: a queue that is filled anew for each round.
template <class Contract, class Fill>
class side_of {
 public:
  side_of(const scene& where, int consumers, Fill fill)
      : db_{where.url}, time_{where.how.time}, with_{consumers, where.url, batch}, fill_{fill}, consumers_{consumers} {
    depth_ = static_cast<std::int64_t>(100'000 * time_.count()) + 4 * batch;
  }

  measure operator()() {
    empty<Contract>(db_);
    fill_(db_, depth_);
    const measure taken = with_.run(time_);
    with_.for_each([](auto& each) { each.let_go(); });
    depth_ = 2 * static_cast<std::int64_t>(taken.count) + 8 * batch * consumers_;
    return taken;
  }

 private:
  quern::connection db_;
  std::chrono::duration<double> time_;
  crew<claiming<Contract>> with_;
  Fill fill_;
  int consumers_;
  std::int64_t depth_ = 0;
};

}  // namespace

std::vector<row> priority_rows(const scene& where) {
  std::vector<row> rows;
  for (const int consumers : {1, 4}) {
    side_of<urgent, void (*)(quern::connection&, std::int64_t)> with{where, consumers, fill_by_priority};
    side_of<plain, void (*)(quern::connection&, std::int64_t)> without{where, consumers, fill<plain>};
    const comparison measured = compare(
        where.how.rounds, [&] { return with(); }, [&] { return without(); });
    rows.push_back(message_row(
        fmt::format("claim + ack of 100 in 3 priorities, {} consumer{}", consumers, consumers == 1 ? "" : "s"),
        "the same without priorities", measured));
  }
  return rows;
}

}  // namespace bench
