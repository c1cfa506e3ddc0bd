#include "declaration/generated_names.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "declaration/names.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

using declaration::constraint_kind;

namespace {

std::set<std::string> known_names() {
  std::set<std::string> names;
  for (const auto& each : declaration::names_of_queue("q", "1")) names.insert(each.name);
  for (const auto& each : declaration::names_of_log("q")) names.insert(each.name);
  for (const auto& each : declaration::names_of_done("q")) names.insert(each.name);
  return names;
}

std::set<std::string> known_names_of_stream() {
  std::set<std::string> names;
  for (const auto& each : declaration::names_of_stream("q", "1")) names.insert(each.name);
  return names;
}

/// The names of which `pattern` captures what follows the queue's or the schema's, in the templates of a directory.
std::set<std::string> captured(const std::string& directory, const char* pattern, const std::string& only = {}) {
  const std::regex created(pattern);
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(test::source_dir() / "templates" / directory)) {
    if (!only.empty() && file.path().filename() != only) continue;
    // Of what is there for each segment, the first.
    const auto content = std::regex_replace(test::content_of(file.path()), std::regex(R"(\{\{segment\}\})"), "0");
    for (std::sregex_iterator each(content.begin(), content.end(), created), end; each != end; ++each) {
      names.insert(std::regex_replace((*each)[1].str(), std::regex(R"(\{\{(version|level)\}\})"), "1"));
    }
  }
  return names;
}

/// What the templates in these folders and in this header create, for the queue or stream "q" in version 1.
std::set<std::string> created_names(const char* shared, const char* of_version, const std::string& header) {
  std::set<std::string> names;
  const auto* sql =
      R"((?:create (?:or replace )?(?:table|view|sequence|function) \{\{(?:prefix|api)\}\}|(?:index|constraint) \{\{(?:line|queue)\}\})([a-z_0]*(?:\{\{version\}\}[a-z_]*)?(?:\{\{level\}\})?))";
  const auto* cpp = R"(\n(?:struct|using) \{\{queue\}\}([a-z_]*(?:\{\{version\}\}[a-z_]*)?))";
  for (const auto& name : captured(shared, sql)) names.insert("q" + name);
  for (const auto& name : captured(of_version, sql)) names.insert("q" + name);
  for (const auto& name : captured("cpp", cpp, header)) names.insert("q" + name);
  return names;
}

}  // namespace

TEST_CASE("every name that a template gives to an object of a queue is known before it is generated") {
  const auto known = known_names();
  const auto created = created_names("sql/queue", "sql/version", "queue.hpp.mustache");
  for (const auto* one : {"q_message", "q_v1_frontier", "q_enqueue_json", "q_enqueue_json_v1", "q_v1_producer",
                          "q_v1_frontier_1", "q_low_water_1", "q_message_0", "q_claimed_after"}) {
    CHECK(created.contains(one));
  }
  for (const auto& name : created) {
    INFO(name);
    CHECK(known.contains(name));
  }
}

TEST_CASE("every name that a template gives to an object of a stream is known before it is generated") {
  const auto known = known_names_of_stream();
  const auto created = created_names("sql/stream", "sql/stream_version", "stream.hpp.mustache");
  for (const auto* one : {"q_event", "q_event_0", "q_page_0_key", "q_v1_read_at", "q_read_json_v1", "q_v1_reader"}) {
    CHECK(created.contains(one));
  }
  for (const auto& name : created) {
    INFO(name);
    CHECK(known.contains(name));
  }
  CHECK(declaration::longest_stream_suffix() >= std::string("_publish_many_v999").size());
}

TEST_CASE("every name that a template gives to a shared object is known before it is generated") {
  std::set<std::string> known;
  for (const auto& each : declaration::shared_names()) known.insert(each.name);
  auto created =
      captured("sql/core", R"(create (?:or replace )?(?:table|view|sequence|function) \{\{schema\}\}\.([a-z_]*))");
  created.merge(captured("cpp", R"(\ninline \S+ ([a-z_]+)\()"));
  CHECK(created.contains("quern_client"));
  CHECK(created.contains("upgrade"));
  for (const auto& name : created) {
    INFO(name);
    CHECK(known.contains(name));
  }
}

TEST_CASE("a queue's names are its own and begin with it") {
  const auto names = declaration::names_of_queue("email", "3");
  CHECK(names.front().name == "email");
  CHECK(std::all_of(names.begin(), names.end(), [](const auto& each) { return each.name.starts_with("email"); }));
  const auto has = [&](std::string_view name) {
    return std::any_of(names.begin(), names.end(), [&](const auto& each) { return each.name == name; });
  };
  CHECK(has("email_message"));
  CHECK(has("email_enqueue_many_v3"));
  CHECK(has("email_v3_contract"));
}

TEST_CASE("room is left for the longest name with three digits of version") {
  CHECK(declaration::longest_queue_suffix() >= std::string("_enqueue_many_v999").size());
  const std::string queue(declaration::longest_identifier - declaration::longest_queue_suffix(), 'q');
  for (const auto& each : declaration::names_of_queue(queue, "999")) {
    CHECK(each.name.size() <= declaration::longest_identifier);
  }
}

TEST_CASE("a constraint is named by its queue, its field and what it asserts") {
  CHECK(declaration::constraint_name("email", "recipient", constraint_kind::max_length) ==
        "email_recipient_max_length");
  CHECK(declaration::constraint_name("email", "age", constraint_kind::min) == "email_age_min");
  CHECK(declaration::constraint_name("email", "age", constraint_kind::max) == "email_age_max");
  CHECK(declaration::constraint_name("email", "zip", constraint_kind::pattern) == "email_zip_pattern");
}

TEST_CASE("a name in another spelling leads to the one in snake_case") {
  CHECK(declaration::snake_case_of("OrderId") == "order_id");
  CHECK(declaration::snake_case_of("orderID") == "order_id");
  CHECK(declaration::snake_case_of("order-id") == "order_id");
  CHECK(declaration::snake_case_of("__order  id__") == "order_id");
  CHECK(declaration::snake_case_of("9lives").empty());
  CHECK(declaration::snake_case_of("caf\xC3\xA9").empty());
  CHECK(declaration::snake_case_of("").empty());
}

TEST_CASE("the keywords of C++20 are known, with the words for operators") {
  for (const auto* word : {"class", "and", "xor_eq", "co_await", "concept", "requires", "char8_t", "linux"}) {
    CHECK(declaration::is_cpp_keyword(word));
  }
  for (const auto* word : {"email", "order", "select", "final", "override", "module", "import"}) {
    CHECK_FALSE(declaration::is_cpp_keyword(word));
  }
}

// A member of such a name would be another one wherever <csignal> is included, as it is by the library.
TEST_CASE("macros of the headers that the library includes are no names") {
  for (const auto* word : {"errno", "stdin", "sa_handler", "si_value", "sigev_notify_function", "sched_priority"})
    CHECK(declaration::is_cpp_keyword(word));
}
