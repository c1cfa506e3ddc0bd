// Standard input, output and error that are closed, full, or without anybody behind them.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <string>

#include "cli/counter.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/places.hpp"

namespace {

using test::counter;

constexpr const char* shop = R"(
[queues.email]
retry = { max_attempts = 1 }
payload = { n = "int32" }
[queues.hooks]
payload = "jsonb"
[streams.activity]
payload = { kind = "text" }
)";

/// A line of a shell, in which $quern is the program.
test::outcome shell(const counter& at, const std::string& line) {
  return at.desk().run({"sh", "-c", line}, {{"QUERN_DATABASE", at.url()}, {"quern", test::program().string()}});
}

void enqueue(const counter& at, int n) {
  at.run({"enqueue", "email", "--json", fmt::format("{{\"n\": {}}}", n)});
}

}  // namespace

TEST_CASE("what a handler writes on a closed standard error does not reach the database") {
  const counter at{shop};
  quern::connection db{at.url()};
  enqueue(at, 1);
  const auto worked = shell(
      at,
      "exec $quern work email --drain --exec 'printf \"Q\\0\\0\\0\\033drop table shop.email_message\\0\" >&2' 2>&-");
  CHECK(worked.exit_code == 0);
  CHECK(db.execute("select coalesce(sum(ready + leased + dead), -1)::int8 from shop.email_stats()")
            .value<std::int64_t>() == 0);
}

TEST_CASE("a connection takes the number of no standard stream that is closed") {
  const counter at{shop};
  enqueue(at, 1);
  const auto unseen = shell(at, "exec $quern stats >&-");
  CHECK(unseen.exit_code == 1);
  CHECK(unseen.err == "quern: error: standard output cannot be written: Bad file descriptor\n");
  // The handler has the closed one that it would have had, not a connection.
  enqueue(at, 2);
  CHECK_THAT(shell(at, "exec $quern work email --drain --exec 'echo Q 2> problem' >&-").err,
             test::ends_with("quern: 0 handled, 2 failed\n"));
}

TEST_CASE("a standard error that cannot be written changes nothing of what is done") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (const std::string error : {"2>/dev/full", "2>&-"}) {
    enqueue(at, 1);
    CHECK(shell(at, "exec $quern work email --drain --exec 'echo word >&2; exit 1' " + error).exit_code == 0);
    CHECK(shell(at, "exec $quern stats nothing " + error).exit_code == 1);
    CHECK(shell(at, "exec $quern stats --nothing " + error).exit_code == 2);
    CHECK(shell(at, "exec $quern purge email --dead " + error).exit_code == 2);
  }
  CHECK(db.execute("select dead from shop.email_stats()").value<std::int64_t>() == 2);
}

TEST_CASE("a reader of standard error that has gone ends no worker and no handler") {
  const counter at{shop};
  quern::connection db{at.url()};
  for (int n = 1; n <= 3; ++n) enqueue(at, n);
  // The pipe has no reader any more when the first handler writes.
  const auto ended = shell(at,
                           "{ sleep 0.2; $quern work email --drain --exec 'echo word >&2; echo x >> seen'; echo $? > "
                           "code; } 2>&1 >out | true; "
                           "while [ ! -s code ]; do sleep 0.01; done; cat code seen");
  CHECK(ended.out == "0\nx\nx\nx\n");
  CHECK(shell(at,
              "{ sleep 0.1; $quern stats nothing; echo $? > code2; } 2>&1 >out | true; "
              "while [ ! -s code2 ]; do sleep 0.01; done; cat code2")
            .out == "1\n");
}

TEST_CASE("a standard output that cannot be written is told with its reason") {
  const counter at{shop};
  for (const std::string words : {"stats", "stats --json", "--help", "--version", "schema"}) {
    INFO(words);
    const auto full = shell(at, fmt::format("exec $quern {} > /dev/full", words));
    CHECK(full.exit_code == 1);
    CHECK(full.err == "quern: error: standard output cannot be written: No space left on device\n");
  }
  // A reader that has seen enough ends the program in the usual way.
  CHECK(shell(at,
              "{ sleep 0.1; $quern stats; echo $? > code; } | true; while [ ! -s code ]; do sleep 0.01; done; cat code")
            .out == "141\n");
}

TEST_CASE("a standard input that cannot be read is no end of the lines") {
  const counter at{shop};
  for (const std::string words : {"enqueue email", "publish activity"}) {
    INFO(words);
    const auto directory = shell(at, fmt::format("exec $quern {} --json - < /tmp", words));
    CHECK(directory.exit_code == 1);
    CHECK(directory.err == "quern: error: standard input cannot be read: Is a directory\n0 before that were sent\n");
    const auto closed = shell(at, fmt::format("exec $quern {} --json - <&-", words));
    CHECK(closed.exit_code == 1);
    CHECK(closed.err == "quern: error: standard input cannot be read: Bad file descriptor\n0 before that were sent\n");
  }
  const auto none = at.quern({"enqueue", "email", "--json", "-"}, "");
  CHECK(none.exit_code == 0);
  CHECK(none.err == "quern: 0 enqueued\n");
}

TEST_CASE("a payload that is no text of the database is wrong input") {
  const counter at{shop};
  for (const std::string& wrong : {std::string{"\"\xff\"\n"}, std::string{"\"a\0b\"\n", 6}}) {
    const auto refused = at.quern({"enqueue", "hooks", "--json", "-"}, "1\n" + wrong);
    CHECK(refused.exit_code == 1);
    CHECK_THAT(refused.err, test::starts_with("quern: error: line 2: "));
    CHECK_THAT(refused.err, test::ends_with("\n1 before it was sent\n"));
  }
}
