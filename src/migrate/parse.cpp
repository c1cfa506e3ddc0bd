#include "migrate/parse.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <utility>

namespace migrate {
namespace {

constexpr std::string_view step_opening = "-- step:";
constexpr std::string_view roles_opening = "-- roles:";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  lines.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> parse_roles(std::string_view list) {
  std::vector<std::string> roles;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (const auto role = trimmed(list.substr(0, end)); !role.empty()) roles.emplace_back(role);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return roles;
}

struct setting {
  std::string_view key;
  std::string_view value;
};

// `-- key: value`, the key in lower case.
std::optional<setting> as_setting(std::string_view line) {
  if (!line.starts_with("-- ")) return std::nullopt;
  line.remove_prefix(3);
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  const std::string_view key = line.substr(0, colon);
  if (!std::ranges::all_of(key, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) return std::nullopt;
  return setting{key, trimmed(line.substr(colon + 1))};
}

constexpr std::array<std::string_view, 4> step_keys{"lock", "lock_timeout", "statement_timeout", "transaction"};

// The lines that open what stands behind a step's SQL, in their order.
constexpr std::array<std::string_view, 3> section_openings{"-- probe", "-- cleanup", "-- reverse"};

std::optional<std::size_t> as_section(std::string_view line) {
  if (!line.starts_with("-- ")) return std::nullopt;
  const auto found = std::ranges::find(section_openings, line.substr(0, line.find_last_not_of(" \t") + 1));
  if (found == section_openings.end()) return std::nullopt;
  return static_cast<std::size_t>(found - section_openings.begin());
}

std::optional<section>& section_of(step& made, std::size_t which) {
  return which == 0 ? made.probe : which == 1 ? made.cleanup : made.reverse;
}

bool is_blank(std::string_view sql) {
  return sql.find_first_not_of(" \t\n") == std::string_view::npos;
}

bool holds_only_comments(std::string_view sql) {
  for (;;) {
    const std::size_t begin = sql.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return true;
    if (!sql.substr(begin).starts_with("--")) return false;
    sql.remove_prefix(std::min(sql.find('\n', begin), sql.size()));
  }
}

// The steps of one file, from top to bottom.
class parser {
 public:
  parser(std::string_view text, const std::filesystem::path& file, std::vector<problem>& problems)
      : lines_{lines_of(text)}, file_{file}, problems_{problems} {}

  void check_first_line(std::string_view wanted) {
    if (lines_.empty() || lines_.front() != wanted) report(1, fmt::format("the first line should be `{}`", wanted));
  }

  // Up to the first step only comments may stand: SQL there would never run.
  std::vector<std::string> read_head() {
    std::vector<std::string> roles;
    for (; at_ < lines_.size() && !lines_[at_].starts_with(step_opening); ++at_) {
      const std::string_view line = lines_[at_];
      if (line.starts_with(roles_opening)) {
        for (std::string& role : parse_roles(line.substr(roles_opening.size()))) roles.push_back(std::move(role));
      } else if (!trimmed(line).empty() && !line.starts_with("--")) {
        report_head();
        break;
      }
    }
    return roles;
  }

  std::vector<step> read_steps() {
    while (at_ < lines_.size()) read_step();
    if (steps_.empty()) report(0, "holds no step (a line `-- step: <name>` and SQL)");
    return std::move(steps_);
  }

  bool has_steps() const {
    return std::ranges::any_of(lines_, [](std::string_view line) { return line.starts_with(step_opening); });
  }

  // The whole text, without settings.
  step read_plain(step made) {
    read_body(made, 0);
    return made;
  }

 private:
  void report(std::size_t line, std::string words) {
    problems_.push_back({file_, static_cast<int>(line), std::move(words)});
  }

  void report_head() {
    report(at_ + 1, "SQL stands before the first `-- step: <name>`");
    while (at_ < lines_.size() && !lines_[at_].starts_with(step_opening)) ++at_;
  }

  void read_step() {
    const std::size_t opening = at_++;
    step made{.name = std::string{trimmed(lines_[opening].substr(step_opening.size()))}};
    if (made.name.empty()) report(opening + 1, "the step has no name");
    if (std::ranges::find(steps_, made.name, &step::name) != steps_.end())
      report(opening + 1, fmt::format("a step named {} stands above", made.name));
    read_settings(made, opening + 1);
    read_body(made, opening + 1);
    steps_.push_back(std::move(made));
  }

  void read_settings(step& made, std::size_t opening) {
    std::map<std::string_view, std::string_view> seen;
    for (; at_ < lines_.size() && seen.size() < step_keys.size(); ++at_) {
      const auto found = as_setting(lines_[at_]);
      if (!found || found->key == "step") break;
      if (std::ranges::find(step_keys, found->key) == step_keys.end())
        report(at_ + 1, fmt::format("unknown key `{}` of a step", found->key));
      else if (!seen.emplace(found->key, found->value).second)
        report(at_ + 1, fmt::format("`{}` is given twice", found->key));
      else
        apply(made, *found);
    }
    for (const std::string_view key : step_keys)
      if (!seen.contains(key)) report(opening, fmt::format("the step does not say `-- {}: …`", key));
  }

  void apply(step& made, const setting& found) {
    if (found.key == "lock") {
      made.lock = found.value;
      return;
    }
    if (found.key == "transaction") {
      if (found.value != "yes" && found.value != "no")
        report(at_ + 1, fmt::format("`{}` is neither yes nor no", found.value));
      made.is_transactional = found.value != "no";
      return;
    }
    const auto duration = parse_duration(found.value);
    if (!duration) report(at_ + 1, fmt::format("`{}` is no duration (0, 500ms, 5s, 1min, 2h)", found.value));
    (found.key == "lock_timeout" ? made.lock_timeout : made.statement_timeout) =
        duration.value_or(std::chrono::milliseconds{0});
  }

  // The SQL of a step and the sections behind it. `opening`: the line of the step, 0 for the file as a whole.
  void read_body(step& made, std::size_t opening) {
    made.first_line = static_cast<int>(at_) + 1;
    made.sql = read_sql();
    for (std::size_t expected = 0; at_ < lines_.size();) {
      const std::optional<std::size_t> which = as_section(lines_[at_]);
      if (!which) break;
      check_place(made, *which, expected);
      read_section(section_of(made, *which));
      expected = std::max(expected, *which + 1);
    }
    if (is_blank(made.sql) || (holds_only_comments(made.sql) && !made.reverse))
      report(opening, "the step holds no SQL");
  }

  std::string read_sql() {
    std::string sql;
    for (; at_ < lines_.size() && !lines_[at_].starts_with(step_opening) && !as_section(lines_[at_]); ++at_)
      sql.append(lines_[at_]).push_back('\n');
    return sql;
  }

  void check_place(step& made, std::size_t which, std::size_t expected) {
    const std::string_view opening = section_openings.at(which);
    if (section_of(made, which))
      report(at_ + 1, fmt::format("`{}` is given twice", opening));
    else if (which < expected)
      report(at_ + 1, fmt::format("`{}` should stand before `{}`", opening, section_openings.at(expected - 1)));
    if (made.is_transactional && which != 2)
      report(at_ + 1, fmt::format("`{}` is only for a step with `-- transaction: no`", opening));
  }

  void read_section(std::optional<section>& into) {
    const std::size_t opening = at_++;
    into = section{.sql = {}, .first_line = static_cast<int>(at_) + 1};
    into->sql = read_sql();
    if (is_blank(into->sql))
      report(opening + 1,
             fmt::format("`{}` is empty: say in a comment why nothing has to be done", trimmed(lines_[opening])));
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  const std::filesystem::path& file_;
  std::vector<problem>& problems_;
  std::vector<step> steps_{};
};

// Nothing when the server could not be sent it.
std::optional<std::string> normal_text(std::string_view text, const std::filesystem::path& file,
                                       std::vector<problem>& problems) {
  std::string normal = with_line_feeds(text);
  if (normal.find('\0') == std::string::npos) return normal;
  problems.push_back({file, 0, "holds a NUL byte"});
  return std::nullopt;
}

}  // namespace

std::string spell(const problem& one) {
  if (one.line == 0) return fmt::format("{}: {}", one.file.string(), one.words);
  return fmt::format("{}:{}: {}", one.file.string(), one.line, one.words);
}

void parse_migration(std::string_view text, migration& into, std::vector<problem>& problems) {
  into.checksum = sha256(with_line_feeds(text));
  const auto normal = normal_text(text, into.file, problems);
  if (!normal) return;
  parser parsing{*normal, into.file, problems};
  parsing.check_first_line(fmt::format("-- quern migration: {}", title(into)));
  into.roles = parsing.read_head();
  into.steps = parsing.read_steps();
}

parsed_hook parse_hook(std::string_view text, std::string_view name, const std::filesystem::path& file,
                       std::vector<problem>& problems) {
  const hook origin{.file = file, .checksum = sha256(with_line_feeds(text))};
  parsed_hook made;
  const auto normal = normal_text(text, file, problems);
  if (!normal) return made;
  parser parsing{*normal, file, problems};
  if (parsing.has_steps()) {
    made.roles = parsing.read_head();
    made.steps = parsing.read_steps();
  } else {
    made.steps.push_back(parsing.read_plain({.name = std::string{name},
                                             .lock = "what the hook takes",
                                             .lock_timeout = std::chrono::seconds{5},
                                             .statement_timeout = std::chrono::minutes{1}}));
  }
  for (step& one : made.steps) one.from_hook = origin;
  return made;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
      {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}}};
  std::int32_t count = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), count);
  const auto unit = std::ranges::find(units, text.substr(static_cast<std::size_t>(end - text.data())),
                                      &std::pair<std::string_view, std::int64_t>::first);
  if (trouble != std::errc{} || count <= 0 || unit == units.end()) return std::nullopt;
  const std::int64_t total = count * unit->second;
  // The server counts milliseconds in 31 bits.
  if (total > INT32_MAX) return std::nullopt;
  return std::chrono::milliseconds{total};
}

std::string with_line_feeds(std::string_view text) {
  std::string normal;
  normal.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\r\n", at), text.size());
    normal.append(text, at, end - at);
    at = end == text.size() ? end : end + 1;
  }
  return normal;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) hex.append({digits[byte >> 4], digits[byte & 15]});
  return hex;
}

}  // namespace migrate
