#pragma once

#include <cstdint>
#include <quern/connection.hpp>
#include <string>

#include "crew.hpp"

namespace bench {

/// Makes shop.bare_event: a table with the columns of an event but those that make a stream of it (segment and stamp),
/// with a plain sequence as its key.
void make_bare_log(quern::connection& db);

/// A client that inserts into it, a row and a transaction a step, as directly as libpq can: a prepared statement with
/// parameters that were encoded once.
class bare_publishing {
 public:
  explicit bare_publishing(const std::string& url);

  progress step();

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::parameters values_;
  quern::parameters::bound bound_;
};

/// A client that reads it a page a step, in the order of its key and in binary, from `after` on and over again when it
/// has read `count` rows. What it gets stays as libpq has it.
class bare_reading {
 public:
  bare_reading(const std::string& url, std::int64_t after, std::int64_t count);

  progress step();

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  std::int64_t first_;
  std::int64_t end_;
  std::int64_t after_;
};

}  // namespace bench
