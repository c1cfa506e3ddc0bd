#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crew.hpp"
#include "mail.hpp"

namespace bench {

/// Enqueues a message a step, in a transaction of its own.
class enqueuing {
 public:
  explicit enqueuing(const std::string& url) : db_{url}, producer_{db_}, mail_{mail<shop::email>(42)} {}

  progress step() {
    producer_.enqueue(mail_);
    return {.count = 1};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  shop::email_producer producer_;
  shop::email mail_;
};

/// Claims a batch and acknowledges the one before in one transaction a step; counts what was acknowledged.
template <class Contract>
class claiming {
 public:
  claiming(const std::string& url, int batch) : db_{url}, consumer_{db_}, batch_{batch} {}

  progress step() {
    const std::size_t done = held_.size();
    held_ = consumer_.ack_and_claim(held_, batch_).messages;
    return {.count = done, .is_finished = held_.empty()};
  }

  /// Acknowledges what is still held and returns its number.
  std::uint64_t let_go() {
    consumer_.ack(held_);
    return std::exchange(held_, {}).size();
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  using consumer = quern::consumer<Contract>;

  quern::connection db_;
  consumer consumer_;
  int batch_;
  std::vector<typename consumer::message_type> held_;
};

/// Claims a batch and acknowledges it, each in a transaction of its own.
template <class Contract>
class claiming_apart {
 public:
  claiming_apart(const std::string& url, int batch) : db_{url}, consumer_{db_}, batch_{batch} {}

  progress step() {
    const auto claimed = consumer_.claim(batch_);
    if (!consumer_.ack(claimed).empty()) throw std::runtime_error{"a lease was lost"};
    return {.count = claimed.size(), .is_finished = claimed.empty()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::consumer<Contract> consumer_;
  int batch_;
};

/// Puts so many messages into a queue, fast, and does what autovacuum would do then, so that what is measured next does
/// not pay for it.
template <class Contract>
void fill(quern::connection& db, std::int64_t count) {
  const auto made =
      std::views::iota(std::int64_t{0}, count) | std::views::transform(mail<typename Contract::payload_type>);
  quern::producer<Contract>{db}.enqueue_all(made);
  check_interrupt();
  db.execute(fmt::format("vacuum (analyze) shop.{}_message", Contract::queue));
}

/// Removes all messages, as if there had never been any.
template <class Contract>
void empty(quern::connection& db) {
  db.execute(fmt::format("truncate shop.{}_message", Contract::queue));
}

/// So many messages and no others.
template <class Contract>
void fill_anew(quern::connection& db, std::int64_t count) {
  empty<Contract>(db);
  fill<Contract>(db, count);
}

}  // namespace bench
