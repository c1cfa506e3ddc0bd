#pragma once

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <quern/connection.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/program.hpp"
#include "cli/running_call.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

namespace test {

/// A project of the declaration, on a database of its own, as an operator has it before him: without its migrations.
class counter {
 public:
  explicit counter(const std::string& declaration) : database_{migrated(declaration)} {
    desk_.write("quern.toml", project(declaration));
  }

  outcome quern(const std::vector<std::string>& words, const std::string& input = {}) const {
    return desk_.quern(words, {{"QUERN_DATABASE", database_.url()}}, input);
  }

  /// What a call prints that ends well.
  std::string run(const std::vector<std::string>& words, const std::string& input = {}) const {
    auto ended = quern(words, input);
    INFO(ended.out);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    return ended.out;
  }

  /// A call that goes on.
  running_call start(const std::vector<std::string>& words) const {
    return {desk_, words, {{"QUERN_DATABASE", database_.url()}}};
  }

  const std::string& url() const { return database_.url(); }
  const test::desk& desk() const { return desk_; }

 private:
  static std::string project(const std::string& declaration) { return "[project]\nname = \"shop\"\n" + declaration; }

  // Made once, and copied from then on.
  static const test::database& migrated(const std::string& declaration) {
    test::server_url();
    static std::map<std::string, test::database> all;
    const auto [place, is_new] = all.try_emplace(declaration);
    if (!is_new) return place->second;
    const test::desk made;
    made.write("quern.toml", project(declaration));
    for (const char* const command : {"generate", "migrate"}) {
      const auto ended = made.quern({command}, {{"QUERN_DATABASE", place->second.url()}});
      INFO(ended.err);
      REQUIRE(ended.exit_code == 0);
    }
    return place->second;
  }

  test::desk desk_;
  test::database database_;
};

/// One JSON object a line, without what is another one each time.
inline std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    nlohmann::json one = nlohmann::json::parse(line);
    for (const auto* varying : {"enqueued_at", "published_at", "dead_at", "lease_until", "due_at"}) one.erase(varying);
    lines.push_back(std::move(one));
  }
  return lines;
}

/// Claims the next message and fails it.
inline void fail_next(quern::connection& db, const std::string& queue, const std::string& error) {
  db.execute(fmt::format("select shop.{0}_nack(c.message_id, c.attempt, $1) from shop.{0}_claim_json() as c", queue),
             error);
}

/// Of one queue or stream.
inline nlohmann::json stats_of(const counter& at, const std::string& name) {
  const auto all = nlohmann::json::parse(at.run({"stats", "--json", name}));
  return all.at("queues").empty() ? all.at("streams").at(0) : all.at("queues").at(0);
}

}  // namespace test
