// Whether a long queue is as fast as a short one: each side drains as many messages, from ten million and from as many
// as there are.

#include <fmt/format.h>

#include "crew.hpp"
#include "queue_clients.hpp"
#include "scene.hpp"

namespace bench {
namespace {

constexpr int consumers = 4;
constexpr int batch = 100;

// Consumers that end after so many messages together: a queue that runs dry would measure the wait for the last ones.
template <class Contract>
class draining {
 public:
  draining(const std::string& url, std::int64_t share) : client_{url, batch}, share_{share} {}

  void begin() { left_ = share_; }

  progress step() {
    progress done = client_.step();
    left_ -= static_cast<std::int64_t>(done.count);
    done.is_finished = done.is_finished || left_ <= 0;
    return done;
  }

  std::uint64_t let_go() { return client_.let_go(); }

  int backend_pid() const { return client_.backend_pid(); }

 private:
  claiming<Contract> client_;
  std::int64_t share_;
  std::int64_t left_ = 0;
};

template <class Contract>
class queue {
 public:
  queue(const scene& where, std::int64_t depth)
      : db_{where.url}, how_{where.how}, drains_{consumers, where.url, where.how.drained / consumers - batch} {
    empty<Contract>(db_);
    refill(depth);
  }

  measure drain() {
    measure sum;
    for (int i = 0; i < how_.drains; ++i) {
      drains_.for_each([](auto& each) { each.begin(); });
      const measure part = drains_.run(std::chrono::hours{1});
      std::uint64_t gone = part.count;
      drains_.for_each([&](auto& each) { gone += each.let_go(); });
      sum.count += part.count;
      sum.seconds += part.seconds;
      sum.server_seconds += part.server_seconds;
      refill(static_cast<std::int64_t>(gone));
    }
    return sum;
  }

 private:
  // Old messages were written out long ago: each page that is touched again goes into the log whole.
  void refill(std::int64_t count) {
    fill<Contract>(db_, count);
    db_.execute("checkpoint");
  }

  quern::connection db_;
  effort how_;
  crew<draining<Contract>> drains_;
};

}  // namespace

std::vector<row> depth_rows(const scene& where) {
  queue<shop::email_deep_v1_contract> deep{where, where.how.depth};
  queue<shop::email_v1_contract> shallow{where, where.how.drained};
  const comparison measured = compare(
      where.how.rounds, [&] { return deep.drain(); }, [&] { return shallow.drain(); });
  return {message_row(fmt::format("claim + ack of {}, depth {}", batch, where.how.depth),
                      fmt::format("the same at depth {}", where.how.drained), measured, 0.90)};
}

}  // namespace bench
