#include "arrows/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace arrows {

namespace {

namespace fs = std::filesystem;
using room_map = std::map<std::string, std::set<std::string>>;

/// A library from the distribution: which headers are its own, and which rooms may see it; `room:1` in one file only.
struct library {
  std::string_view name;
  std::string_view headers;
  std::string_view rooms;
};

constexpr std::array libraries{
    library{"toml++", R"(toml\+\+/.*|toml\.hpp)", "declaration:1"},
    library{"Mustache", R"(kainjow/.*)", "render:1"},
    library{"libpq", R"(libpq-fe\.h|libpq/.*|libpq-events\.h|pg_config.*|postgres.*)", "quern migrate:1 cluster:1"},
    library{"CLI11", R"(CLI/.*)", "cli:1"},
    library{"libpg_query", R"(pg_query\.h)", "declaration:1 contract render migrate check cli"},
    library{"nlohmann-json", R"(nlohmann/.*)", "declaration contract render migrate check cli"},
    library{"libcrypto", R"(openssl/.*)", "contract render migrate"},
    library{"{fmt}", R"(fmt/.*)", "text declaration contract render migrate check cluster cli"},
};

struct pattern_rule {
  std::regex pattern;
  std::string_view why;
};

const std::vector<pattern_rule>& line_rules() {
  static const std::vector<pattern_rule> rules{
      {std::regex{R"((^|[^\w.>])(system|popen)\s*\()"}, "a shell is never started: use a list of arguments"},
      {std::regex{R"(^\s*#\s*define\b)"}, "no macros"},
      {std::regex{R"(\busing\s+namespace\b(?!\s+std::\w*literals;))"}, "no `using namespace`, but for literals"},
      {std::regex{R"(\bstd::format\b)"}, "std::format is missing in g++ 12: {fmt}, or text by hand in src/quern"},
  };
  return rules;
}

std::string read(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw std::runtime_error{"cannot read " + file.string()};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw std::runtime_error{"cannot read " + file.string()};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has_word(std::string_view words, std::string_view word) {
  return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

bool is_comment(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first != std::string::npos && line.compare(first, 2, "//") == 0;
}

/// Headers of the language have neither folder nor suffix; those of POSIX are C headers.
bool belongs_to_the_system(const std::string& header) {
  static const std::regex posix{R"((sys|netinet|arpa|net)/\w+\.h|\w+\.h)"};
  return header.find_first_of("/.") == std::string::npos || std::regex_match(header, posix);
}

class checker {
 public:
  explicit checker(const fs::path& src) : src_{src}, rooms_{read_rooms(src / "CMakeLists.txt")} {}

  std::vector<violation> run() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator{src_}) {
      const auto suffix = entry.path().extension();
      if (suffix == ".hpp" || suffix == ".cpp") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) check_file(file);
    return std::move(found_);
  }

 private:
  void report(std::size_t line, std::string_view why) {
    found_.push_back(fmt::format("src/{}:{}: {}", file_.generic_string(), line, why));
  }

  void check_file(const fs::path& file) {
    file_ = fs::relative(file, src_);
    room_ = file_.begin()->string();
    if (!rooms_.contains(room_)) return report(1, fmt::format("`{}` is no room of src/CMakeLists.txt", room_));
    const auto lines = lines_of(file);
    if (file.extension() == ".hpp" && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end())
      report(1, "a header says `#pragma once`");
    includes_ = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) check_line(lines[i], i + 1);
  }

  void check_line(const std::string& line, std::size_t number) {
    static const std::regex include{R"(^\s*#\s*include\s*(["<])([^">]+)[">].*)"};
    if (is_comment(line)) return;
    if (std::smatch match; std::regex_match(line, match, include)) {
      if (includes_++ == 0) check_first(match[2], number);
      match[1] == "\"" ? check_room(match[2], number) : check_angled(match[2], number);
    }
    for (const auto& rule : line_rules())
      if (std::regex_search(line, rule.pattern)) report(number, rule.why);
  }

  /// x.cpp begins with x.hpp, which shows that the header compiles alone; tests/headers compiles those without a
  /// source.
  void check_first(const std::string& header, std::size_t number) {
    auto own = file_;
    own.replace_extension(".hpp");
    if (file_.extension() != ".cpp" || header == own.generic_string() || !fs::exists(src_ / own)) return;
    report(number, fmt::format("the first include is the file's own header, {}", own.generic_string()));
  }

  void check_angled(const std::string& header, std::size_t number) {
    if (header.starts_with("quern/")) return check_arrow("quern", number);
    for (const auto& each : libraries)
      if (std::regex_match(header, std::regex{std::string{each.headers}})) return check_library(each, number);
    if (!belongs_to_the_system(header))
      report(number, fmt::format("<{}> belongs to no library that the project uses", header));
  }

  void check_room(const std::string& header, std::size_t number) {
    const auto slash = header.find('/');
    const auto target = header.substr(0, slash);
    if (slash == std::string::npos || !rooms_.contains(target))
      return report(number, fmt::format("\"{}\" does not begin with a room", header));
    if (target == "quern" && room_ != "quern") return report(number, "the run-time library is included as <quern/…>");
    check_arrow(target, number);
  }

  void check_arrow(const std::string& target, std::size_t number) {
    if (target == room_ || rooms_.at(room_).contains(target)) return;
    report(number, fmt::format("{} must not see {}", room_, target));
  }

  void check_library(const library& each, std::size_t number) {
    const bool one_file = has_word(each.rooms, room_ + ":1");
    if (!one_file && !has_word(each.rooms, room_))
      return report(number, fmt::format("{} must not see {}", room_, each.name));
    const auto& first = users_.emplace(std::pair{room_, each.name}, file_).first->second;
    if (one_file && first != file_) report(number, fmt::format("{} is seen by one file of {} only", each.name, room_));
  }

  fs::path src_;
  room_map rooms_;
  fs::path file_;
  std::string room_;
  int includes_ = 0;
  std::map<std::pair<std::string, std::string_view>, fs::path> users_;  // the first of a room that includes a library
  std::vector<violation> found_;
};

std::set<std::string> targets_in(const std::string& words) {
  static const std::regex target{R"(\bquern_(\w+))"};
  std::set<std::string> names;
  for (std::sregex_iterator it{words.begin(), words.end(), target}, end; it != end; ++it)
    names.insert((*it)[1] == "runtime" ? "quern" : (*it)[1].str());
  return names;
}

/// Adds to each room what the rooms below it see, until nothing is new.
void close(room_map& rooms) {
  for (bool grew = true; grew;) {
    grew = false;
    for (auto& [name, below] : rooms)
      for (const auto& each : std::set<std::string>{below})
        for (const auto& next : rooms.at(each)) grew |= below.insert(next).second;
  }
}

}  // namespace

room_map read_rooms(const fs::path& cmake_file) {
  static const std::regex room{R"(\bquern_room\((\w+)([^)]*)\))"};
  room_map rooms{{"quern", {}}};
  const auto content = read(cmake_file);
  for (std::sregex_iterator it{content.begin(), content.end(), room}, end; it != end; ++it)
    rooms[(*it)[1]] = targets_in((*it)[2]);
  std::set<std::string> all;
  for (const auto& [name, below] : rooms) all.insert(name);
  rooms["cli"] = all;
  close(rooms);
  return rooms;
}

std::vector<violation> check(const fs::path& src) {
  return checker{src}.run();
}

}  // namespace arrows
