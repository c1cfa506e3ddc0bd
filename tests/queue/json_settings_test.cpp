#include <fmt/format.h>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

// JSON that programs of any language read and write does not depend on how a session likes its texts.

TEST_CASE("JSON says the same, and is read the same, whatever a session writes texts like") {
  test::workshop here{R"(
[queues.mail]
[queues.mail.payload]
pause = "interval"
raw   = "bytes"
share = "float64"
[streams.log]
[streams.log.payload]
pause = "interval"
raw   = "bytes"
share = "float64"
)"};
  const std::string payload = R"({"raw": "\\x00ff5c", "pause": "-1 days +02:03:04", "share": 0.1234567890123456})";
  auto odd = here.open();
  odd.ask("set bytea_output = 'escape'; set intervalstyle = 'sql_standard'; set extra_float_digits = -10");
  for (auto* enqueuing : {&here.db, &odd}) {
    for (auto* claiming : {&here.db, &odd}) {
      enqueuing->ask(fmt::format("select mail_enqueue_json('{0}'), log_publish_json('{0}')", payload));
      CHECK(claiming->ask("select payload from mail_peek()") == payload);
      CHECK(claiming->ask("select payload from mail_claim_json()") == payload);
    }
  }
  odd.ask("select log_seal()");
  CHECK(odd.ask("select count(*), count(distinct payload), min(payload::text) from log_read_json(0)") ==
        "4|1|" + payload);
  CHECK(odd.ask("select payload from log_read_json(0, 1)") == payload);
}
