#pragma once

#include <cstdint>
#include <quern/connection.hpp>
#include <quern/json.hpp>
#include <string>
#include <vector>

#include "crew.hpp"

/// A table of tasks as people write it: a status, a partial index on it, SKIP LOCKED.
namespace bench {

void make_tasks(quern::connection& db);

void add_tasks(quern::connection& db, std::int64_t count);

/// So many tasks and no others, and what autovacuum would do then.
void fill_tasks(quern::connection& db, std::int64_t count);

/// Claims a batch and deletes it, each in a transaction of its own.
class by_hand {
 public:
  by_hand(const std::string& url, int batch) : db_{url}, batch_{batch} {}

  progress step();

  quern::connection& on() { return db_; }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  int batch_;
};

}  // namespace bench
