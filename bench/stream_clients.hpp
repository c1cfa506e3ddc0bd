#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "crew.hpp"
#include "event.hpp"

namespace bench {

/// Publishes an event a step, in a transaction of its own.
class publishing {
 public:
  explicit publishing(const std::string& url) : db_{url}, producer_{db_}, event_{event<shop::activity>(42)} {}

  progress step() {
    producer_.publish(event_);
    return {.count = 1};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  shop::activity_producer producer_;
  shop::activity event_;
};

/// Reads a page of a thousand a step, from the start and over again when it has read `count` events.
template <class Contract>
class reading {
 public:
  reading(const std::string& url, std::int64_t count) : db_{url}, reader_{db_}, count_{count} {}

  progress step() {
    if (after_ >= count_) after_ = 0;
    const auto page = reader_.read(after_, 1000);
    after_ += 1000;
    return {.count = page.size()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::stream_reader<Contract> reader_;
  std::int64_t count_;
  std::int64_t after_ = 0;
};

/// Receives a page of a thousand and acknowledges it a step, each a transaction; begins again when it has handled
/// `count` events.
template <class Contract>
class receiving {
 public:
  receiving(const std::string& url, const std::string& name, std::int64_t count)
      : db_{url}, consumer_{db_, subscribed(name)}, count_{count} {
    consumer_.seek(0);
  }

  progress step() {
    if (after_ >= count_) consumer_.seek(after_ = 0);
    const auto page = consumer_.receive(1000);
    if (!consumer_.ack(page)) throw std::runtime_error{"an acknowledgement was stale"};
    after_ += static_cast<std::int64_t>(page.size());
    return {.count = page.size(), .is_finished = page.empty()};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  const std::string& subscribed(const std::string& name) {
    db_.execute(fmt::format("select shop.{}_subscribe($1)", Contract::queue), name);
    return name;
  }

  quern::connection db_;
  quern::stream_consumer<Contract> consumer_;
  std::int64_t count_;
  std::int64_t after_ = 0;
};

/// Publishes so many events, fast, and gives them their offsets.
template <class Contract>
void publish_and_seal(quern::connection& db, std::int64_t count) {
  constexpr std::int64_t at_once = 1'000'000;
  quern::stream_producer<Contract> producer{db};
  for (std::int64_t done = 0; done < count; done += at_once) {
    check_interrupt();
    producer.publish_all(events<typename Contract::payload_type>(std::min(at_once, count - done)));
    quern::seal_events<Contract>(db);
  }
  db.execute(fmt::format("vacuum (analyze) shop.{0}_event, shop.{0}_page", Contract::queue));
}

/// As if nothing had ever been published: as the migration has left it.
template <class Contract>
void empty_stream(quern::connection& db) {
  db.run_script(fmt::format(
      "begin; create temporary table first_page on commit drop as select * from shop.{0}_page where last_offset = 0; "
      "truncate shop.{0}_event, shop.{0}_page, shop.{0}_position, shop.{0}_claim, shop.{0}_failed, shop.{0}_consumer; "
      "insert into shop.{0}_page select * from first_page; commit",
      Contract::queue));
}

}  // namespace bench
