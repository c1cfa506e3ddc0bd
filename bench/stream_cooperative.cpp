// Four workers that share work, a hundred at a time, each claim and each acknowledgement a transaction of its own: a
// cooperative consumer of a stream, which sends an acknowledgement together with its next claim as the library's worker
// does, against a queue, and against the table that is written by hand for such work, which send them one by one.

#include <fmt/format.h>

#include "hand_table.hpp"
#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

constexpr int workers = 4;
constexpr int batch = 100;

using stream = shop::activity_v1_contract;
using queue = shop::email_v1_contract;

/// One of the workers of a cooperative consumer.
class cooperating {
 public:
  explicit cooperating(const std::string& url) : db_{url}, consumer_{db_, "crew"} {}

  progress step() {
    const std::size_t done = held_.size();
    auto [claimed, lost] = consumer_.ack_and_claim(held_, batch);
    if (!lost.empty()) throw std::runtime_error{"a claim was lost"};
    held_ = std::move(claimed);
    return {.count = done, .is_finished = held_.empty()};
  }

  void let_go() {
    consumer_.ack(held_);
    held_.clear();
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::cooperative_consumer<stream> consumer_;
  std::vector<quern::cooperative_consumer<stream>::message_type> held_;
};

void fill_stream(quern::connection& db, std::int64_t count) {
  empty_stream<stream>(db);
  db.execute("select shop.activity_subscribe('crew', 'start', p_is_cooperative => true)");
  publish_and_seal<stream>(db, count);
}

}  // namespace

std::vector<row> stream_cooperative_rows(const scene& where) {
  quern::connection db{where.url};
  make_tasks(db);
  fill_stream(db, 1);
  refilled<cooperating> shared{where, workers, batch, fill_stream};
  refilled<claiming_apart<queue>> rows{where, workers, batch, fill_anew<queue>, batch};
  refilled<by_hand> tasks{where, workers, batch, fill_tasks, batch};
  const auto with = [&] { return shared(); };
  const comparison against_rows = compare(where.how.rounds, with, [&] { return rows(); });
  const comparison against_tasks = compare(where.how.rounds, with, [&] { return tasks(); });
  return {message_row("claim, ack of 100, 4 cooperative workers", "the same of a queue", against_rows, 2),
          message_row("claim, ack of 100, 4 cooperative workers", "the same of a table by hand", against_tasks, 4)};
}

}  // namespace bench
