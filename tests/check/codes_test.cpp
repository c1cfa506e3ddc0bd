#include "check/codes.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "check/made_project.hpp"
#include "declaration/codes.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/places.hpp"

namespace {

namespace fs = std::filesystem;

/// The codes that stand in the sources of a room where diagnostics are made.
std::set<std::string> codes_in(const fs::path& room) {
  static const std::regex made{
      R"re(\b(?:refuse\w*|problem|report|error|add|wrong_lock)\s*[({](?:[^";]{0,60},)?\s*"([a-z]+(?:_[a-z]+)+)",)re"};
  std::set<std::string> codes;
  for (const auto& entry : fs::directory_iterator{test::source_dir() / "src" / room}) {
    const std::string content = test::content_of(entry.path());
    for (std::sregex_iterator it{content.begin(), content.end(), made}, end; it != end; ++it) codes.insert((*it)[1]);
  }
  return codes;
}

/// The codes behind the messages in the expected texts of the tests.
std::set<std::string> codes_in_cases() {
  static const std::regex printed{R"re(: (?:error|warning): [^\n]* \[([a-z_]+)\]\n)re"};
  std::set<std::string> codes;
  for (const auto& entry : fs::recursive_directory_iterator{test::source_dir() / "tests"}) {
    if (!entry.is_regular_file() || entry.path().extension() != ".txt") continue;
    const std::string content = test::content_of(entry.path());
    for (std::sregex_iterator it{content.begin(), content.end(), printed}, end; it != end; ++it) codes.insert((*it)[1]);
  }
  return codes;
}

}  // namespace

TEST_CASE("every code that can be printed has an explanation") {
  for (const auto code : declaration::code::all) {
    INFO(code);
    CHECK(check::find_code(code) != nullptr);
  }
  for (const auto room : {"text", "contract", "render", "check"})
    for (const std::string& code : codes_in(room)) {
      INFO(room << ": " << code);
      CHECK(check::find_code(code) != nullptr);
    }
  const auto printed = codes_in_cases();
  CHECK(printed.size() > 60);
  for (const std::string& code : printed) {
    INFO(code);
    CHECK(check::find_code(code) != nullptr);
  }
}

TEST_CASE("the sources are searched for codes, and some are found in each room") {
  CHECK(codes_in("contract").contains("lock_malformed"));
  CHECK(codes_in("render").contains("unclosed_tag"));
  CHECK(codes_in("check").contains("hook_lock_table"));
}

TEST_CASE("every code stands in the table once, with a title and a way out") {
  auto names = check::code_names();
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  for (const auto& group : check::code_groups())
    for (const auto& one : group.codes) {
      INFO(one.name);
      CHECK(std::regex_match(std::string{one.name}, std::regex{"[a-z0-9]+(_[a-z0-9]+)*"}));
      CHECK(one.title.size() > 10);
      CHECK((one.explanation.find("Way out:") != std::string_view::npos ||
             one.explanation.find("Begin with") != std::string_view::npos || one.explanation.starts_with("  ")));
      CHECK_FALSE(one.explanation.ends_with('\n'));
    }
}
