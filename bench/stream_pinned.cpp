// What a transaction that keeps its snapshot for long costs a stream: one that has worked under it for a minute,
// against one that has just begun.

#include <fmt/format.h>

#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

constexpr int batch = 100;

/// Publishes a hundred events, receives them and acknowledges them a step.
template <class Contract>
class circulating {
 public:
  explicit circulating(const std::string& url) : db_{url}, producer_{db_}, consumer_{db_, subscribed()} {
    for (const auto& each : events<typename Contract::payload_type>(batch)) events_.push_back(each);
  }

  progress step() {
    producer_.publish(events_);
    const auto received = consumer_.receive(batch);
    if (!consumer_.ack(received)) throw std::runtime_error{"an acknowledgement was stale"};
    return {.count = received.size()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  const char* subscribed() {
    db_.execute(fmt::format("select shop.{}_subscribe('circle')", Contract::queue));
    return "circle";
  }

  quern::connection db_;
  quern::stream_producer<Contract> producer_;
  quern::stream_consumer<Contract> consumer_;
  std::vector<typename Contract::payload_type> events_;
};

}  // namespace

std::vector<row> stream_pinned_rows(const scene& where) {
  using worn = shop::activity_v1_contract;
  using fresh = shop::activity_deep_v1_contract;
  quern::connection db{where.url};
  empty_stream<worn>(db);
  empty_stream<fresh>(db);
  quern::connection pinning{where.url};
  pinning.execute("begin isolation level repeatable read");
  pinning.execute("select pg_current_snapshot()");
  crew<circulating<worn>> with{1, where.url};
  crew<circulating<fresh>> without{1, where.url};
  db.execute("select pg_stat_reset()");
  const measure before = with.run(where.how.time);
  with.run(where.how.pinned);
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  const auto dead = db.execute("select sum(n_dead_tup)::bigint from pg_stat_user_tables where relname ~ '^activity'")
                        .value<std::int64_t>();
  row made = message_row(
      fmt::format("publish, receive, ack 100 after {:.0f} s of pinned xmin", where.how.pinned.count()),
      fmt::format("the same at the beginning ({:.0f}/s at first; n_dead_tup {})", before.rate(), dead), measured, 0.95);
  return {std::move(made)};
}

}  // namespace bench
