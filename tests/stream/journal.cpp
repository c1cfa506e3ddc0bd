#include "stream/journal.hpp"

#include "support/catch.hpp"

namespace test {

const std::string_view log_stream = R"(
[streams.log]
retention = "1h"
grants    = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[streams.log.payload]
body = "text"
[streams.log.consumers.audit]
[streams.log.consumers.mirror]
)";

std::string journal::whole() {
  while (db.ask("select log_seal()") != "0") continue;
  const auto all = db.ask("select event_offset, body from log_read_v1(0, 1000000)");
  CHECK(db.ask("select count(*) = coalesce(max(event_offset), 0) and count(*) = (select count(*) from log_event) "
               "and coalesce(bool_and(event_offset = place), true) "
               "from (select event_offset, row_number() over () as place from log_read_v1(0, 1000000)) as r") == "t");
  for (const int piece : {1, 3, 7}) {
    std::string joined;
    for (std::int64_t after = 0;; after += piece) {
      const auto next = read(after, piece);
      if (next.empty()) break;
      joined += (joined.empty() ? "" : " ") + next;
    }
    CHECK(joined == all);
  }
  return db.ask("select string_agg(body, ' ' order by event_offset) from log_read_v1(0, 1000000)");
}

}  // namespace test
