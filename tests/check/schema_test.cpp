#include "check/schema.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <string>

#include "check/json_schema.hpp"
#include "check/made_project.hpp"
#include "declaration/read.hpp"
#include "declaration/toml.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using names = std::set<std::string>;

json as_json(const declaration::node& node) {
  switch (node.kind) {
    case declaration::node_kind::table: {
      json made = json::object();
      for (const auto& entry : node.entries) made[entry.key] = as_json(entry.value);
      return made;
    }
    case declaration::node_kind::array: {
      json made = json::array();
      for (const auto& item : node.items) made.push_back(as_json(item));
      return made;
    }
    case declaration::node_kind::integer:
      return node.integer;
    case declaration::node_kind::floating:
      return node.floating;
    case declaration::node_kind::boolean:
      return node.boolean;
    case declaration::node_kind::string:
    case declaration::node_kind::date_time:
      break;
  }
  return node.text;
}

/// The declaration as the schema's readers see it; nothing when it is no TOML.
std::optional<json> tree_of(const std::string& content) {
  declaration::report problems;
  const auto root = declaration::parse_toml(content, text::line_index{content}, problems);
  if (!root || !problems.is_empty()) return std::nullopt;
  return as_json(*root);
}

json schema() {
  return json::parse(check::declaration_schema());
}

bool is_valid(const std::string& content) {
  const auto tree = tree_of(content);
  return tree && test::schema_violations(schema(), *tree).empty();
}

bool is_read(const std::string& content) {
  return declaration::read({"quern.toml", content}).declared.has_value();
}

/// The help of the first diagnostic with this code.
std::string help_for(const std::string& content, const std::string& code) {
  for (const auto& problem : declaration::read({"quern.toml", content}).problems)
    if (problem.code == code) return problem.help;
  return {};
}

names split(std::string_view list) {
  names made;
  while (!list.empty()) {
    const auto end = std::min(list.find(", "), list.size());
    made.insert(std::string{list.substr(0, end)});
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return made;
}

/// The reader names all keys of a table to whoever writes one that is near to none.
names keys_of_reader(const std::string& content) {
  const std::string help = help_for(content, "unknown_key");
  INFO(help);
  REQUIRE(help.starts_with("known keys: "));
  return split(std::string_view{help}.substr(12));
}

names keys_of(const json& table) {
  names made;
  for (const auto& [key, value] : table["properties"].items()) made.insert(key);
  return made;
}

const std::string project = "[project]\nname = \"shop\"\n";
const std::string queue = project + "[queues.email]\npayload = \"jsonb\"\n";

/// A declaration for each table, in which `zzzzzzzzzzzzzzz = 1` stands where its keys do.
const std::map<std::string, std::string>& probes() {
  static const std::map<std::string, std::string> all{
      {"", "zzzzzzzzzzzzzzz = 1\n" + queue},
      {"project", project + "zzzzzzzzzzzzzzz = 1\n"},
      {"enum", project + "[enums.e]\nvalues = [\"a\"]\nzzzzzzzzzzzzzzz = 1\n"},
      {"queue", queue + "zzzzzzzzzzzzzzz = 1\n"},
      {"stream", project + "[streams.s]\npayload = \"jsonb\"\nzzzzzzzzzzzzzzz = 1\n"},
      {"consumer", project + "[streams.s]\npayload = \"jsonb\"\n[streams.s.consumers.c]\nzzzzzzzzzzzzzzz = 1\n"},
      {"schedule", queue + "[schedules.s]\nzzzzzzzzzzzzzzz = 1\n"},
      {"removed_stream", project + "[removed_streams.s]\nzzzzzzzzzzzzzzz = 1\n"},
      {"removed_queue", project + "[removed_queues.email]\nzzzzzzzzzzzzzzz = 1\n"},
      {"accepted_break", queue + "accept_break = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"retry", queue + "retry = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"unique", queue + "unique = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"concurrency", queue + "concurrency = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"rate", queue + "rate = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"grants", queue + "grants = { zzzzzzzzzzzzzzz = 1 }\n"},
      {"field_table", project + "[queues.email.payload]\na = { type = \"text\", zzzzzzzzzzzzzzz = 1 }\n"},
  };
  return all;
}

/// A declaration for each key that has a smallest and a largest value, in which `@` stands where its value does.
const std::map<std::string, std::string>& limited() {
  static const std::string numbered = project + "[queues.email.payload]\nid = \"int64\"\n[queues.email]\n";
  static const std::string stream = project + "[streams.s]\npayload = \"jsonb\"\n";
  static const std::string crew = stream + "[streams.s.consumers.c]\nworkers = \"cooperative\"\n";
  static const std::map<std::string, std::string> all{
      {"project.postgres", project + "postgres = @\n[queues.email]\npayload = \"jsonb\"\n"},
      {"queue.lease", queue + "lease = @\n"},
      {"queue.expires", queue + "expires = @\n"},
      {"queue.priorities", queue + "priorities = @\n"},
      {"queue.keep_done", queue + "keep_done = @\n"},
      {"queue.sunset", queue + "sunset = @\n"},
      {"queue.concurrency", queue + "concurrency = @\n"},
      {"concurrency.queue", queue + "concurrency = { queue = @ }\n"},
      {"concurrency.per_key", numbered + "concurrency = { per_key = @, key = \"id\" }\n"},
      {"rate.count", queue + "rate = { count = @, per = \"1s\" }\n"},
      {"rate.per", queue + "rate = { count = 1, per = @ }\n"},
      {"rate.burst", queue + "rate = { count = 1000000, per = \"1s\", burst = @ }\n"},
      {"unique.within", numbered + "unique = { fields = [\"id\"], within = @ }\n"},
      {"retry.max_attempts", queue + "retry = { max_attempts = @ }\n"},
      {"retry.initial", queue + "retry = { initial = @, max = \"3650d\" }\n"},
      {"retry.max", queue + "retry = { initial = \"1ms\", max = @ }\n"},
      {"retry.jitter", queue + "retry = { jitter = @ }\n"},
      {"accepted_break.version",
       queue + "accept_break = { version = @, reason = \"a reason\", until = \"2999-01-31\" }\n"},
      {"stream.retention", stream + "retention = @\n"},
      {"stream.sunset", stream + "sunset = @\n"},
      {"consumer.lease", crew + "lease = @\n"},
      {"field_table.max_length", project + "[queues.email.payload]\na = { type = \"text\", max_length = @ }\n"},
  };
  return all;
}

/// The smallest and the largest value of a key as they are written in TOML, and what is beyond them.
struct limits {
  std::string below, smallest, largest, above;
};

limits limits_of_duration(const std::string& doc) {
  static const std::regex range{"([0-9]+)(ms|s) to ([0-9]+d)\\b"};
  std::smatch found;
  INFO(doc);
  REQUIRE(std::regex_search(doc, found, range));
  REQUIRE(found[1] == "1");
  const std::string below = found[2] == "s" ? "999ms999us" : "999us";
  const auto written = [](const std::string& text) { return "\"" + text + "\""; };
  return {written(below), written(found[1].str() + found[2].str()), written(found[3]), written(found[3].str() + "1us")};
}

/// Nothing when the values of the key have no limits.
std::optional<limits> limits_of(const json& key) {
  if (key.contains("anyOf")) return limits_of(key["anyOf"][0]);
  if (key.value("$ref", "") == "#/$defs/duration") return limits_of_duration(key["description"]);
  if (!key.contains("minimum")) return std::nullopt;
  REQUIRE(key.contains("maximum"));
  if (key["type"] == "number") {
    const double smallest = key["minimum"];
    const double largest = key["maximum"];
    return limits{std::to_string(smallest - 0.01), std::to_string(smallest), std::to_string(largest),
                  std::to_string(largest + 0.01)};
  }
  const std::int64_t smallest = key["minimum"];
  const std::int64_t largest = key["maximum"];
  return limits{std::to_string(smallest - 1), std::to_string(smallest), std::to_string(largest),
                std::to_string(largest + 1)};
}

std::string with(std::string content, const std::string& value) {
  return content.replace(content.find('@'), 1, value);
}

std::vector<fs::path> declaration_cases() {
  std::vector<fs::path> found;
  for (const auto& each : fs::directory_iterator{test::cases("declaration")}) found.push_back(each.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("the schema has every key that the reader accepts, and no other") {
  const json made = schema();
  for (const auto& [table, probe] : probes()) {
    INFO("table " << (table.empty() ? "of the declaration" : table));
    CHECK(keys_of(table.empty() ? made : made["$defs"][table]) == keys_of_reader(probe));
    CHECK_FALSE(is_valid(probe));
  }
  for (const auto& [name, definition] : made["$defs"].items()) {
    INFO(name);
    CHECK(definition.contains("properties") == probes().contains(name));
  }
}

TEST_CASE("every key of the schema says what it is for") {
  const json made = schema();
  for (const auto& [table, probe] : probes())
    for (const auto& [key, value] : (table.empty() ? made : made["$defs"][table])["properties"].items()) {
      INFO(table << "." << key);
      CHECK(value["description"].get<std::string>().size() > 10);
    }
}

TEST_CASE("the values that a key can choose from are those of the reader") {
  const json made = schema();
  const auto choices = [&](const char* table, const char* key) {
    std::string joined;
    for (const auto& value : made["$defs"][table]["properties"][key]["enum"])
      joined += (joined.empty() ? "" : " or ") + value.dump();
    return joined;
  };
  const auto problems = declaration::read({"", queue + "retry = { backoff = \"zzzzzzzzzz\" }\n"}).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message == "'backoff' must be " + choices("retry", "backoff"));
  CHECK(is_read(queue + "storage = \"rows\"\n"));
  CHECK(is_read(queue + "storage = \"log\"\n") == is_valid(queue + "storage = \"log\"\n"));
}

TEST_CASE("the limits that the schema says of values are those of the reader") {
  std::size_t count = 0;
  const json made = schema();
  for (const auto& [table, definition] : made["$defs"].items()) {
    if (!definition.contains("properties")) continue;
    for (const auto& [key, value] : definition["properties"].items()) {
      const std::string name = table + '.' + key;
      INFO(name);
      const auto limits = limits_of(value);
      if (!limits) continue;
      REQUIRE(limited().contains(name));
      const std::string& probe = limited().at(name);
      CHECK(is_read(with(probe, limits->smallest)));
      CHECK(is_read(with(probe, limits->largest)));
      CHECK_FALSE(is_read(with(probe, limits->below)));
      CHECK_FALSE(is_read(with(probe, limits->above)));
      ++count;
    }
  }
  CHECK(count == limited().size());
}

TEST_CASE("every declaration that the reader accepts fits the schema") {
  for (const auto& directory : declaration_cases()) {
    const std::string content = test::content_of(directory / "quern.toml");
    if (!is_read(content)) continue;
    INFO(directory.filename().string());
    const auto tree = tree_of(content.starts_with("\xEF\xBB\xBF") ? content.substr(3) : content);
    REQUIRE(tree);
    CHECK(test::schema_violations(schema(), *tree) == std::vector<std::string>{});
  }
  CHECK(is_valid(test::content_of(test::source_dir() / "quern.toml")));
}

TEST_CASE("what the reader refuses by form does not fit the schema") {
  const names structural{"unknown_key", "missing_key",     "wrong_type",       "not_built_yet", "no_fields",
                         "no_values",   "too_many_fields", "invalid_duration", "invalid_name"};
  // Whether a default has its field's type is not a matter of form; the reader alone knows.
  const names passed_over{"defaults_of_wrong_type", "defaults_of_wrong_form", "types_of_enums"};
  std::size_t count = 0;
  for (const auto& directory : declaration_cases()) {
    const std::string content = test::content_of(directory / "quern.toml");
    const auto problems = declaration::read({"quern.toml", content}).problems;
    const bool is_structural =
        std::ranges::any_of(problems, [&](const auto& each) { return structural.contains(each.code); });
    if (!is_structural || passed_over.contains(directory.filename().string()) || !tree_of(content)) continue;
    INFO(directory.filename().string());
    CHECK_FALSE(is_valid(content));
    ++count;
  }
  CHECK(count > 10);
}

TEST_CASE("reader and schema agree on single values") {
  const auto lease = [](const std::string& value) { return queue + "lease = \"" + value + "\"\n"; };
  const auto field = [](const std::string& type) { return project + "[queues.email.payload]\na = " + type + "\n"; };
  const std::vector<std::string> all{lease("30s"),
                                     lease("1h30m"),
                                     lease("500ms1us"),
                                     lease(""),
                                     lease("30"),
                                     lease("1.5m"),
                                     lease("30m1h"),
                                     lease("-1s"),
                                     field("\"int64\""),
                                     field("\"numeric(10,2)[]?\""),
                                     field("\"numeric( 10 , 2 )?[]\""),
                                     field("\"text[][]\""),
                                     field("\"text??\""),
                                     field("\"text[3]\""),
                                     field("\"Text\""),
                                     field("7"),
                                     field("{ type = \"text\", max_length = 0 }"),
                                     field("{ type = \"text\", max_length = 1 }"),
                                     field("{ default = \"x\" }"),
                                     queue + "retry = { max_attempts = 0 }\n",
                                     queue + "retry = { max_attempts = 1000, jitter = 1 }\n",
                                     queue + "retry = { max_attempts = 1001 }\n",
                                     queue + "retry = { jitter = 1.5 }\n",
                                     queue + "dead_letter = 1\n",
                                     queue + "expires = \"1h\"\n",
                                     queue + "expires = 3600\n",
                                     queue + "headers = true\n",
                                     queue + "headers = {}\n",
                                     queue + "grants = { produce = \"web\" }\n",
                                     queue + "grants = { produce = [\"web\"] }\n",
                                     "[project]\nname = \"shop\"\nnamespace = \"a::b\"\n[enums.e]\nvalues = [\"x\"]\n",
                                     "[project]\nname = \"shop\"\nnamespace = \"a::\"\n[enums.e]\nvalues = [\"x\"]\n",
                                     "[project]\nname = \"shop\"\npostgres = 13\n[enums.e]\nvalues = [\"x\"]\n",
                                     "[project]\nname = \"shop\"\npostgres = 18\n[enums.e]\nvalues = [\"x\"]\n",
                                     "[project]\nname = \"shop\"\npostgres = 19\n[enums.e]\nvalues = [\"x\"]\n",
                                     project + "[enums.e]\nvalues = [\"x\", \"x\"]\n",
                                     project + "[enums.e]\nvalues = []\n",
                                     "[queues.email]\npayload = \"jsonb\"\n"};
  for (const auto& content : all) {
    INFO(content);
    // A lease below one second is a matter of range.
    CHECK(is_valid(content) == (is_read(content) || content == lease("500ms1us")));
  }
}
