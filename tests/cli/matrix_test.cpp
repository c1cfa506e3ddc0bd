// Three live contracts with every kind of change between them: what each writes, and what each reads of it, at every
// moment of an expansion. The expected values are written by hand.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <quern/connection.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/program.hpp"
#include "cli/three_contracts.hpp"
#include "migrate/parse.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace {

namespace fs = std::filesystem;

using test::columns;
using test::declarations;
using test::fields;
using test::sample;
using test::samples;
using test::stays;

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts;
  int depth = 0;
  std::string part;
  for (const char c : text) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == mark && depth == 0) {
      parts.push_back(std::exchange(part, {}));
    } else {
      part += c;
    }
  }
  parts.push_back(part);
  return parts;
}

/// Numbers too: a parameter says what they are.
std::string quoted(const std::string& value) {
  return value == "null" || value.starts_with('\'') ? value : "'" + value + "'";
}

/// How a message came to where it is when it is read: in the order in which they are made.
enum class way { redriven, retried, ready, delayed, copied };
constexpr std::array ways{way::redriven, way::retried, way::ready, way::delayed, way::copied};

using readings = std::map<std::int64_t, std::string>;  // by the message's own number

class play {
 public:
  explicit play(const std::string& url) : db_{url} {}

  /// Every producer that there is, with every consumer that there is: those that have to be there.
  void run(const std::string& moment, const std::vector<int>& producers, const std::vector<int>& consumers) {
    INFO(moment);
    CHECK(versions("enqueue") == producers);
    CHECK(versions("take") == consumers);
    for (const int writer : producers)
      for (const int reader : consumers)
        if (std::find(consumers.begin(), consumers.end(), writer) != consumers.end()) meet(writer, reader);
  }

 private:
  std::vector<int> versions(const std::string& verb) {
    std::vector<int> found;
    for (const int version : {1, 2, 3})
      if (db_.execute(fmt::format("select exists (select from pg_proc where pronamespace = 'shop'::regnamespace and "
                                  "proname = 'work_{}_v{}')",
                                  verb, version))
              .value<bool>())
        found.push_back(version);
    return found;
  }

  void meet(int writer, int reader) {
    INFO(fmt::format("v{} writes, v{} reads", writer, reader));
    readings own;
    readings expected;
    const auto keep = [&](std::int64_t id, const sample& one) {
      own.emplace(id, one.read[static_cast<std::size_t>(writer - 1)]);
      const auto read = one.read[static_cast<std::size_t>(reader - 1)];
      if (read != stays) expected.emplace(id, read);
    };
    for (const way by : ways) {
      for (const auto& one : samples)
        if (one.writer == writer) keep(send(one, by), one);
      if (by == way::redriven) fail_all(writer, 2);
      if (by == way::retried) fail_all(writer, 1);
    }
    db_.execute("select shop.work_redrive_all()");
    const bool is_claim = is_claim_ = !is_claim_;
    const auto read = read_all(reader, expected.size(), is_claim);
    CHECK(read == expected);
    for (const auto& [id, text] : read) own.erase(id);
    CHECK(read_all(writer, own.size(), false) == own);
    CHECK(db_.execute("select ready + delayed + leased + dead from shop.work_stats()").value<std::int64_t>() == 0);
  }

  std::int64_t send(const sample& one, way by) {
    const auto id = ++last_id_;
    std::vector<std::string> names;
    std::vector<std::string> values;
    for (const auto& part : split(one.values, ',')) {
      const auto equals = part.find('=');
      auto name = part.substr(0, equals);
      const auto place = columns.find({one.writer, name});
      if (by == way::copied && place != columns.end()) name = place->second;
      names.push_back(by == way::copied ? name : "p_" + name);
      values.push_back(quoted(part.substr(equals + 1)));
    }
    if (by == way::copied) {
      // Whoever copies gives what only the contract's functions know: the column itself is not required by all.
      if (one.writer == 3 && std::find(names.begin(), names.end(), "maybe") == names.end()) {
        names.push_back("maybe");
        values.push_back("'-'");
      }
      db_.execute(fmt::format("insert into shop.work_message (contract_version, id, {}) values ({}, {}, {})",
                              fmt::join(names, ", "), one.writer, id, fmt::join(values, ", ")));
      return id;
    }
    std::string arguments = fmt::format("p_id => {}", id);
    for (std::size_t i = 0; i < names.size(); ++i) arguments += fmt::format(", {} => {}", names[i], values[i]);
    if (by == way::delayed) arguments += ", p_delay => interval '1 us'";
    db_.execute(fmt::format("select shop.work_enqueue_v{}({})", one.writer, arguments));
    return id;
  }

  /// As often as that every message that is ready is claimed by its own contract, and fails.
  void fail_all(int writer, int times) {
    const auto count =
        std::count_if(samples.begin(), samples.end(), [&](const auto& one) { return one.writer == writer; });
    const auto sql = fmt::format(
        "select shop.work_nack(c.message_id, c.attempt, 'no', interval '0') from shop.work_claim_v{}(1000) as c",
        writer);
    for (int i = 0; i < times; ++i) {
      std::size_t failed = 0;
      const auto end = deadline();
      while (failed < static_cast<std::size_t>(count) && std::chrono::steady_clock::now() < end)
        failed += db_.execute(sql).size();
      REQUIRE(failed == static_cast<std::size_t>(count));
    }
  }

  /// All that comes until there are as many as expected, and once more.
  readings read_all(int reader, std::size_t expected, bool is_claim) {
    std::string text;
    for (const auto& field : split(fields[static_cast<std::size_t>(reader - 1)], ','))
      text += fmt::format("{}coalesce(c.{}::text, 'null')", text.empty() ? "" : ", ", field);
    const auto sql =
        fmt::format("select c.id, concat_ws('|', {}), c.message_id, c.attempt from shop.work_{}_v{}(1000) as c", text,
                    is_claim ? "claim" : "take", reader);
    readings result;
    const auto end = deadline();
    for (bool is_last = false; !is_last;) {
      is_last = result.size() >= expected || std::chrono::steady_clock::now() > end;
      for (const auto row : db_.execute(sql)) {
        CHECK(result.emplace(row.get<std::int64_t>(0), row.get<std::string>(1)).second);
        if (is_claim)
          CHECK(db_.execute("select shop.work_ack($1, $2)", row.get<std::int64_t>(2), row.get<std::int32_t>(3))
                    .value<bool>());
      }
    }
    return result;
  }

  static std::chrono::steady_clock::time_point deadline() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{5};
  }

  quern::connection db_;
  std::int64_t last_id_ = 0;
  bool is_claim_ = false;
};

/// The project with its releases.
class project {
 public:
  void generate(int version) const {
    desk_.write("quern.toml", declarations[static_cast<std::size_t>(version - 1)]);
    run(with_templates({"generate"}));
    run(with_templates({"release"}));
  }

  /// With those of QUERN_TEST_TEMPLATES, to see a test fail without a guard.
  static std::vector<std::string> with_templates(std::vector<std::string> command) {
    if (const char* const templates = std::getenv("QUERN_TEST_TEMPLATES"))
      command.insert(command.end(), {"--templates", templates});
    return command;
  }

  void run(const std::vector<std::string>& command, const std::string& database = {}) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    test::outcome ended;
    do {
      ended = desk_.quern(command, {{"QUERN_DATABASE", database}});
    } while (ended.exit_code == 9 && std::chrono::steady_clock::now() < end);
    INFO(ended.out);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  /// The steps of the migrations of a number, the core's first.
  std::vector<migrate::step> steps_of(int number) const {
    std::vector<migrate::step> steps;
    for (const auto* line : {"core", "work"}) {
      for (const auto& file : fs::directory_iterator{desk_.root() / "migrations" / line}) {
        const auto name = file.path().stem().string();
        if (std::stoi(name.substr(0, 4)) != number) continue;
        migrate::migration one{.line = line, .number = number, .name = name.substr(5)};
        std::vector<migrate::problem> problems;
        migrate::parse_migration(desk_.read(file.path()), one, problems);
        REQUIRE(problems.empty());
        steps.insert(steps.end(), one.steps.begin(), one.steps.end());
      }
    }
    return steps;
  }

 private:
  test::desk desk_;
};

using versions = std::vector<int>;

versions up_to(int version) {
  versions result;
  for (int i = 1; i <= version; ++i) result.push_back(i);
  return result;
}

}  // namespace

TEST_CASE("three contracts read each other's messages after every step of each expansion") {
  const project shop;
  const test::database database;
  play matrix{database.url()};
  shop.generate(1);
  shop.run({"migrate"}, database.url());
  quern::connection db{database.url()};
  for (const int version : {2, 3}) {
    shop.generate(version);
    auto producers = up_to(version - 1);
    auto consumers = producers;
    for (const auto& step : shop.steps_of(version)) {
      if (step.is_transactional) {
        db.run_script("begin; set local search_path = '';\n" + step.sql + "\n;commit");
      } else {
        db.run_script(step.sql);
      }
      if (step.name == fmt::format("consumers_v{}", version)) consumers.push_back(version);
      if (step.name == fmt::format("producers_v{}", version)) producers.push_back(version);
      matrix.run(fmt::format("after step {} of v{}", step.name, version), producers, consumers);
    }
    CHECK(producers == up_to(version));
  }
}

TEST_CASE("three contracts read each other's messages after a rollback, after another roll-out and a retirement") {
  const project shop;
  const test::database database;
  play matrix{database.url()};
  for (const int version : {1, 2, 3}) {
    shop.generate(version);
    shop.run({"migrate"}, database.url());
  }
  matrix.run("at first", up_to(3), up_to(3));
  shop.run({"rollback", "work"}, database.url());
  matrix.run("after the rollback", up_to(2), up_to(2));
  shop.run({"migrate"}, database.url());
  matrix.run("once more", up_to(3), up_to(3));
  shop.run(project::with_templates({"retire", "work", "1"}), database.url());
  matrix.run("before the retirement", up_to(3), up_to(3));
  shop.run({"migrate"}, database.url());
  matrix.run("after the retirement", {2, 3}, {2, 3});
}
