#pragma once

#include <quern/connection.hpp>
#include <string>

#include "crew.hpp"

namespace bench {

/// The names of the payload's columns of a queue, as SQL.
inline constexpr const char* payload_columns =
    "order_id, customer_id, recipient, channel, subject, note, attachments, send_after";

/// Makes shop.bare: a table with the columns, defaults, constraints, primary key, fillfactor and other settings of
/// shop.email_message, whose ids come from a plain sequence. It is what an INSERT or a COPY costs without a queue.
void make_bare_table(quern::connection& db);

/// A client that inserts into shop.bare, a row and a transaction a step, as directly as libpq can: a prepared statement
/// with parameters that were encoded once.
class bare_insert {
 public:
  explicit bare_insert(const std::string& url);

  progress step();

  int backend_pid() const { return db_.backend_pid(); }

 private:
  quern::connection db_;
  quern::parameters values_;
  quern::parameters::bound bound_;
};

}  // namespace bench
