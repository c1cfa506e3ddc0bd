#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "queue/workshop.hpp"

namespace test {

/// A stream `log` whose payload is one text, `body`, with a retention of one hour; roles as of mail_queue.
extern const std::string_view log_stream;

/// A project with a stream, and the verbs that its tests use. Sessions ask with the simple query protocol, a statement
/// a message: each call is a transaction of its own unless one was begun.
class journal : public workshop {
 public:
  explicit journal(std::string_view declaration = log_stream, const std::string& url = shared_url())
      : workshop{declaration, url} {}

  /// All events after an offset: `1|a 2|b`.
  std::string read(std::int64_t after = 0, int count = 1000) { return read(db, after, count); }

  static std::string read(session& with, std::int64_t after = 0, int count = 1000) {
    return with.ask(fmt::format("select event_offset, body from log_read_v1({}, {})", after, count));
  }

  void publish(std::string_view body) { publish(db, body); }

  static void publish(session& with, std::string_view body) {
    with.ask(fmt::format("select log_publish_v1('{}')", body));
  }

  /// What the consumer gets: `1|a 2|b`.
  std::string receive(std::string_view consumer, int count = 1000) { return receive(db, consumer, count); }

  static std::string receive(session& with, std::string_view consumer, int count = 1000) {
    return with.ask(fmt::format("select event_offset, body from log_receive_v1('{}', {})", consumer, count));
  }

  /// The number of the consumer's newest position.
  std::string batch(std::string_view consumer) {
    return db.ask(fmt::format("select max(position_id) from log_position where consumer = '{}'", consumer));
  }

  /// Acknowledges what the newest position makes receive, up to an offset; over how many events that went.
  std::string ack(std::string_view consumer, std::int64_t offset) {
    return db.ask(fmt::format("select log_ack('{}', {}, {})", consumer, batch(consumer), offset));
  }

  /// Makes all events that much older.
  void age(std::chrono::minutes time) {
    db.ask(fmt::format("update log_page set sealed_at = sealed_at - interval '{} minutes'", time.count()));
  }

  /// Publishing goes on to the next segment; false when that cannot be.
  bool rotate() { return db.ask("select log_rotate('-1 s')") == "t"; }

  /// The segments that hold events: `0 1`.
  std::string segments() { return db.ask("select distinct segment from log_event order by 1"); }

  /// Checks what holds of every history: the offsets are 1, 2, 3, … and each event that is there has one; what is read
  /// at once is what is read in pieces. Returns the bodies in their order.
  std::string whole();
};

}  // namespace test
