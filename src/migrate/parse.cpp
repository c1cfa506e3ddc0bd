#include "migrate/parse.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
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

// One file, from top to bottom.
class parser {
 public:
  parser(std::string_view text, migration& into, std::vector<problem>& problems)
      : lines_{lines_of(text)}, into_{into}, problems_{problems} {}

  void run() {
    check_first_line();
    read_head();
    while (at_ < lines_.size()) read_step();
    if (into_.steps.empty()) report(0, "holds no step (a line `-- step: <name>` and SQL)");
  }

 private:
  void report(std::size_t line, std::string words) {
    problems_.push_back({into_.file, static_cast<int>(line), std::move(words)});
  }

  void check_first_line() {
    const std::string wanted = fmt::format("-- quern migration: {}", title(into_));
    if (lines_.empty() || lines_.front() != wanted) report(1, fmt::format("the first line should be `{}`", wanted));
  }

  // Up to the first step only comments may stand: SQL there would never run.
  void read_head() {
    for (; at_ < lines_.size() && !lines_[at_].starts_with(step_opening); ++at_) {
      const std::string_view line = lines_[at_];
      if (line.starts_with(roles_opening)) {
        for (std::string& role : parse_roles(line.substr(roles_opening.size()))) into_.roles.push_back(std::move(role));
      } else if (!trimmed(line).empty() && !line.starts_with("--")) {
        return report_head();
      }
    }
  }

  void report_head() {
    report(at_ + 1, "SQL stands before the first `-- step: <name>`");
    while (at_ < lines_.size() && !lines_[at_].starts_with(step_opening)) ++at_;
  }

  void read_step() {
    const std::size_t opening = at_++;
    step made{.name = std::string{trimmed(lines_[opening].substr(step_opening.size()))}};
    if (made.name.empty()) report(opening + 1, "the step has no name");
    if (std::ranges::find(into_.steps, made.name, &step::name) != into_.steps.end())
      report(opening + 1, fmt::format("a step named {} stands above", made.name));
    read_settings(made, opening + 1);
    made.first_line = static_cast<int>(at_) + 1;
    bool is_empty = true;
    for (; at_ < lines_.size() && !lines_[at_].starts_with(step_opening); ++at_) {
      is_empty = is_empty && trimmed(lines_[at_]).empty();
      made.sql.append(lines_[at_]).push_back('\n');
    }
    if (is_empty) report(opening + 1, "the step holds no SQL");
    into_.steps.push_back(std::move(made));
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
      if (found.value != "yes")
        report(at_ + 1, "a step that does not run in a transaction cannot be applied by this version of quern");
      return;
    }
    const auto duration = parse_duration(found.value);
    if (!duration) report(at_ + 1, fmt::format("`{}` is no duration (0, 500ms, 5s, 1min, 2h)", found.value));
    (found.key == "lock_timeout" ? made.lock_timeout : made.statement_timeout) =
        duration.value_or(std::chrono::milliseconds{0});
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  migration& into_;
  std::vector<problem>& problems_;
};

}  // namespace

std::string spell(const problem& one) {
  if (one.line == 0) return fmt::format("{}: {}", one.file.string(), one.words);
  return fmt::format("{}:{}: {}", one.file.string(), one.line, one.words);
}

void parse_migration(std::string_view text, migration& into, std::vector<problem>& problems) {
  const std::string normal = with_line_feeds(text);
  into.checksum = sha256(normal);
  if (normal.find('\0') != std::string::npos) {
    problems.push_back({into.file, 0, "holds a NUL byte"});
    return;
  }
  parser{normal, into, problems}.run();
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
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace migrate
