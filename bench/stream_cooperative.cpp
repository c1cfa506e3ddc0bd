// Four workers that share work, a hundred at a time, each claim and each acknowledgement a transaction of its own: a
// cooperative consumer of a stream against a queue, and against the table that is written by hand for such work.

#include <fmt/format.h>

#include "queue_clients.hpp"
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
    const auto claimed = consumer_.claim(batch);
    if (!consumer_.ack(claimed).empty()) throw std::runtime_error{"a claim was lost"};
    return {.count = claimed.size(), .is_finished = claimed.empty()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::cooperative_consumer<stream> consumer_;
};

class claiming_apart {
 public:
  explicit claiming_apart(const std::string& url) : db_{url}, consumer_{db_} {}

  progress step() {
    const auto claimed = consumer_.claim(batch);
    if (!consumer_.ack(claimed).empty()) throw std::runtime_error{"a lease was lost"};
    return {.count = claimed.size(), .is_finished = claimed.empty()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::consumer<queue> consumer_;
};

/// A worker on a table as people write it: a status, a partial index on it, SKIP LOCKED.
class by_hand {
 public:
  explicit by_hand(const std::string& url) : db_{url} {}

  progress step() {
    static constexpr quern::prepared claim{
        "update shop.tasks set status = 'processing', updated_at = current_timestamp where id in (select id from "
        "shop.tasks where status = 'pending' order by created_at limit $1 for update skip locked) returning id, "
        "payload"};
    static constexpr quern::prepared finish{"delete from shop.tasks where id = any ($1)"};
    std::vector<std::int32_t> ids;
    std::vector<quern::json> payloads;
    for (const quern::row each : db_.execute(claim, batch)) {
      ids.push_back(each.get<std::int32_t>(0));
      payloads.push_back(each.get<quern::json>(1));
    }
    if (!ids.empty()) db_.execute(finish, ids);
    return {.count = ids.size(), .is_finished = ids.empty()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
};

void make_tasks(quern::connection& db) {
  db.run_script(
      "create table shop.tasks (id serial primary key, payload jsonb not null, status varchar(20) not null default "
      "'pending', created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp);"
      "create index tasks_pending on shop.tasks (status, created_at) where status = 'pending';");
}

/// One side: so much is there for each round that the workers do not run dry, by what they did before.
template <class Worker>
class side_of {
 public:
  using filling = void (*)(quern::connection&, std::int64_t);

  side_of(const scene& where, filling fill)
      : db_{where.url}, time_{where.how.time}, crew_{workers, where.url}, fill_{fill} {
    depth_ = static_cast<std::int64_t>(100'000 * time_.count()) + 8 * batch * workers;
  }

  measure operator()() {
    fill_(db_, depth_);
    const measure taken = crew_.run(time_);
    depth_ = 2 * static_cast<std::int64_t>(taken.count) + 8 * batch * workers;
    return taken;
  }

 private:
  quern::connection db_;
  std::chrono::duration<double> time_;
  crew<Worker> crew_;
  filling fill_;
  std::int64_t depth_;
};

void fill_stream(quern::connection& db, std::int64_t count) {
  empty_stream<stream>(db);
  db.execute("select shop.activity_subscribe('crew', 'start', p_is_cooperative => true)");
  publish_and_seal<stream>(db, count);
}

void fill_queue(quern::connection& db, std::int64_t count) {
  empty<queue>(db);
  fill<queue>(db, count);
}

void fill_tasks(quern::connection& db, std::int64_t count) {
  db.execute("truncate shop.tasks");
  db.execute(
      "insert into shop.tasks (payload) select jsonb_build_object('customer_id', n, 'kind', 'order_placed', 'detail', "
      "$2::jsonb) from generate_series(1, $1) as n",
      count, event<shop::activity>(1).detail);
  check_interrupt();
  db.execute("vacuum (analyze) shop.tasks");
}

}  // namespace

std::vector<row> stream_cooperative_rows(const scene& where) {
  quern::connection db{where.url};
  make_tasks(db);
  fill_stream(db, 1);
  side_of<cooperating> shared{where, fill_stream};
  side_of<claiming_apart> rows{where, fill_queue};
  side_of<by_hand> tasks{where, fill_tasks};
  const auto with = [&] { return shared(); };
  const comparison against_rows = compare(where.how.rounds, with, [&] { return rows(); });
  const comparison against_tasks = compare(where.how.rounds, with, [&] { return tasks(); });
  return {message_row("claim, ack of 100, 4 cooperative workers", "the same of a queue", against_rows, 2),
          message_row("claim, ack of 100, 4 cooperative workers", "the same of a table by hand", against_tasks, 4)};
}

}  // namespace bench
