// What a transaction that keeps its snapshot for long costs a queue: one that has worked under it for a minute, against
// one that has just begun; and what becomes of a table that is written by hand.

#include <fmt/format.h>

#include "hand_table.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {
namespace {

constexpr int batch = 100;

/// Enqueues a hundred messages, claims them and acknowledges them a step.
template <class Contract>
class circulating {
 public:
  explicit circulating(const std::string& url) : db_{url}, producer_{db_}, consumer_{db_} {
    for (int i = 0; i < batch; ++i) mails_.push_back(mail<payload>(i));
  }

  progress step() {
    producer_.enqueue(mails_);
    const auto claimed = consumer_.claim(batch);
    if (!consumer_.ack(claimed).empty()) throw std::runtime_error{"a lease was lost"};
    return {.count = claimed.size()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  using payload = typename Contract::payload_type;

  quern::connection db_;
  quern::producer<Contract> producer_;
  quern::consumer<Contract> consumer_;
  std::vector<payload> mails_;
};

class circulating_by_hand {
 public:
  explicit circulating_by_hand(const std::string& url) : handling_{url, batch} {}

  progress step() {
    add_tasks(handling_.on(), batch);
    return {.count = handling_.step().count};
  }

  int backend_pid() const { return handling_.backend_pid(); }

 private:
  by_hand handling_;
};

}  // namespace

std::vector<row> queue_pinned_rows(const scene& where) {
  using worn = shop::email_v1_contract;
  using fresh = shop::email_deep_v1_contract;
  quern::connection db{where.url};
  empty<worn>(db);
  empty<fresh>(db);
  make_tasks(db);
  quern::connection pinning{where.url};
  pinning.execute("begin isolation level repeatable read");
  pinning.execute("select pg_current_snapshot()");
  crew<circulating<worn>> with{1, where.url};
  crew<circulating<fresh>> without{1, where.url};
  crew<circulating_by_hand> tasks{1, where.url};
  const measure before = with.run(where.how.time);
  const measure tasks_before = tasks.run(where.how.time);
  with.run(where.how.pinned);
  tasks.run(where.how.pinned);
  const measure tasks_after = tasks.run(where.how.time);
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return {message_row(fmt::format("enqueue, claim, ack of 100 after {:.0f} s of pinned xmin", where.how.pinned.count()),
                      fmt::format("the same at the beginning ({:.0f}/s at first; a table by hand falls to {:.2f})",
                                  before.rate(), tasks_after.rate() / tasks_before.rate()),
                      measured, 0.90)};
}

}  // namespace bench
