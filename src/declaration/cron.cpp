#include "declaration/cron.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>

#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

struct alias {
  std::string_view name;
  std::string_view line;
};

constexpr std::array aliases{alias{"@hourly", "0 * * * *"},   alias{"@daily", "0 0 * * *"},
                             alias{"@midnight", "0 0 * * *"}, alias{"@weekly", "0 0 * * 0"},
                             alias{"@monthly", "0 0 1 * *"},  alias{"@yearly", "0 0 1 1 *"},
                             alias{"@annually", "0 0 1 1 *"}};

constexpr std::array months{"jan"sv, "feb"sv, "mar"sv, "apr"sv, "may"sv, "jun"sv,
                            "jul"sv, "aug"sv, "sep"sv, "oct"sv, "nov"sv, "dec"sv};
constexpr std::array weekdays{"sun"sv, "mon"sv, "tue"sv, "wed"sv, "thu"sv, "fri"sv, "sat"sv};

/// By month, in a leap year.
constexpr std::array month_lengths{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct field_rule {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> names{};  // of `least` and those behind it
};

constexpr std::array rules{field_rule{"minute", 0, 59}, field_rule{"hour", 0, 23}, field_rule{"day", 1, 31},
                           field_rule{"month", 1, 12, months}, field_rule{"weekday", 0, 7, weekdays}};
constexpr std::size_t day_field = 2;
constexpr std::size_t weekday_field = 4;

/// A part of the line and where it begins.
struct word {
  std::string_view text;
  std::size_t offset = 0;

  word part(std::size_t begin, std::size_t end) const { return {text.substr(begin, end - begin), offset + begin}; }

  word behind(std::size_t begin) const { return part(begin, text.size()); }
};

std::vector<word> split(const word& whole, std::string_view separators) {
  std::vector<word> result;
  std::size_t begin = 0;
  while (begin <= whole.text.size()) {
    const auto end = std::min(whole.text.find_first_of(separators, begin), whole.text.size());
    result.push_back(whole.part(begin, end));
    begin = end + 1;
  }
  return result;
}

std::vector<word> fields_of(std::string_view line) {
  auto result = split({line}, " \t");
  std::erase_if(result, [](const word& one) { return one.text.empty(); });
  return result;
}

std::string lower(std::string_view written) {
  std::string result{written};
  for (auto& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

class line_parser {
 public:
  cron_result parse(std::string_view line) {
    const auto words = fields_of(line);
    if (words.empty()) {
      report({line, 0}, "the cron line is empty",
             "a time for each day is \"0 9 * * *\": minute, hour, day, month, weekday");
    } else if (words.front().text.front() == '@') {
      parse_alias(words);
    } else if (words.size() != rules.size()) {
      refuse_count(line, words);
    } else {
      parse_fields(words);
    }
    return std::move(result_);
  }

 private:
  void report(const word& where, std::string message, std::string help = {}) {
    result_.problems.push_back({where.offset, where.text.size(), std::move(message), std::move(help)});
  }

  void parse_alias(const std::vector<word>& words) {
    const auto& name = words.front();
    if (words.size() > 1)
      return report(words[1], fmt::format("nothing can stand behind '{}'", text::clipped(name.text)));
    const auto known = std::ranges::find(aliases, lower(name.text), &alias::name);
    if (known != aliases.end()) return parse_fields(fields_of(known->line));
    if (lower(name.text) == "@reboot") return report(name, "'@reboot' is no time: schedules outlive their servers");
    std::vector<std::string_view> names;
    names.reserve(aliases.size());
    for (const auto& each : aliases) names.push_back(each.name);
    const auto better = text::nearest_name(name.text, names);
    report(name, fmt::format("there is no '{}'", text::clipped(name.text)),
           better ? fmt::format("did you mean '{}'?", *better) : fmt::format("known are {}", fmt::join(names, ", ")));
  }

  void refuse_count(std::string_view line, const std::vector<word>& words) {
    constexpr auto order = "the fields are minute, hour, day, month and weekday";
    if (words.size() > rules.size())
      return report(words[rules.size()], fmt::format("there are {} fields; a cron line has five", words.size()),
                    fmt::format("{}: there are no seconds and no years", order));
    report({{}, line.size()},
           fmt::format("there {} {} of the five fields", words.size() == 1 ? "is" : "are", words.size()), order);
  }

  void parse_fields(const std::vector<word>& words) {
    auto& times = result_.times;
    const std::array into{&times.minutes, &times.hours, &times.days, &times.months, &times.weekdays};
    for (std::size_t i = 0; i < rules.size(); ++i) *into[i] = parse_field(words[i], i);
    if (!result_.problems.empty()) return;
    if (times.months.size() == months.size()) times.months.clear();
    if (times.weekdays.empty()) check_dates(words[day_field]);
  }

  /// 7 is Sunday as well. `*` of a day or weekday is nothing: it does not limit the other one.
  std::vector<int> parse_field(const word& field, std::size_t index) {
    const bool is_day = index == day_field || index == weekday_field;
    if (is_day && field.text == "*") return {};
    std::set<int> values;
    for (const auto& item : split(field, ",")) parse_item(item, rules[index], values);
    if (index == weekday_field && values.erase(7) > 0) values.insert(0);
    return {values.begin(), values.end()};
  }

  void parse_item(const word& item, const field_rule& rule, std::set<int>& values) {
    if (item.text.empty()) return refuse_missing(item, rule);
    const auto slash = std::min(item.text.find('/'), item.text.size());
    const auto range = parse_range(item.part(0, slash), rule, slash < item.text.size());
    const auto step = slash < item.text.size() ? parse_step(item.behind(slash + 1), rule) : std::optional{1};
    if (!range || !step) return;
    for (int value = range->first; value <= range->second; value += *step) values.insert(value);
  }

  std::optional<std::pair<int, int>> parse_range(const word& written, const field_rule& rule, bool has_step) {
    // In `*`, Sunday is 0.
    if (written.text == "*") return std::pair{rule.least, rule.most == 7 ? 6 : rule.most};
    const auto dash = written.text.find('-');
    if (dash == std::string_view::npos) {
      const auto value = parse_value(written, rule);
      if (!value || !has_step) return value ? std::optional{std::pair{*value, *value}} : std::nullopt;
      report(written, fmt::format("a step needs a range: '{}' is one value", written.text),
             fmt::format("from there to the end is {}-{}", written.text, rule.most == 7 ? 6 : rule.most));
      return std::nullopt;
    }
    const auto first = parse_value(written.part(0, dash), rule);
    auto last = parse_value(written.behind(dash + 1), rule);
    if (!first || !last) return std::nullopt;
    // The week ends on Sunday too.
    if (rule.most == 7 && *last == 0 && *first > 0) last = 7;
    if (*first <= *last) return std::pair{*first, *last};
    report(written, fmt::format("the range '{}' runs downwards", written.text),
           fmt::format("two ranges say it: {}-{},{}-{}", written.text.substr(0, dash), rule.most == 7 ? 6 : rule.most,
                       rule.least, written.text.substr(dash + 1)));
    return std::nullopt;
  }

  std::optional<int> parse_step(const word& written, const field_rule& rule) {
    const auto step = parse_number(written);
    const int size = (rule.most == 7 ? 6 : rule.most) - rule.least;
    if (step && *step >= 1 && *step <= size) return step;
    report(written.text.empty() ? word{"?", written.offset} : written,
           fmt::format("a step of the {} is a whole number from 1 to {}", rule.name, size));
    return std::nullopt;
  }

  std::optional<int> parse_value(const word& written, const field_rule& rule) {
    const auto name = std::ranges::find(rule.names, lower(written.text));
    if (name != rule.names.end()) return static_cast<int>(name - rule.names.begin()) + rule.least;
    const auto number = parse_number(written);
    if (number && *number >= rule.least && *number <= rule.most) return number;
    refuse_value(written, rule, number.has_value());
    return std::nullopt;
  }

  void refuse_missing(const word& where, const field_rule& rule) {
    report({"?", where.offset}, fmt::format("a value of the {} is missing here", rule.name));
  }

  void refuse_value(const word& written, const field_rule& rule, bool is_number) {
    if (written.text.empty()) return refuse_missing(written, rule);
    if (is_number)
      return report(written, fmt::format("the {} {} is outside of {} to {}", rule.name, text::clipped(written.text),
                                         rule.least, rule.most));
    const auto better = text::nearest_name(written.text, rule.names);
    const auto range = fmt::format("it is a number from {} to {}", rule.least, rule.most);
    const auto all = rule.names.empty() ? range : fmt::format("{}, or {}", range, fmt::join(rule.names, ", "));
    report(written, fmt::format("'{}' is no {}", text::clipped(written.text), rule.name),
           better ? fmt::format("did you mean '{}'?", *better) : all);
  }

  /// Of at most three digits: more are outside of every field.
  static std::optional<int> parse_number(const word& written) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (written.text.empty() || !std::ranges::all_of(written.text, is_digit)) return std::nullopt;
    int result = 0;
    for (const char c : written.text) result = std::min(result * 10 + (c - '0'), 1000);
    return result;
  }

  /// The 30th of February never comes.
  void check_dates(const word& days) {
    const auto& times = result_.times;
    if (times.days.empty()) return;
    const auto exists = [&](int month) {
      return times.days.front() <= month_lengths[static_cast<std::size_t>(month - 1)];
    };
    if (times.months.empty() || std::ranges::any_of(times.months, exists)) return;
    report(days, "none of these months has such a day: it would never fire");
  }

  cron_result result_;
};

}  // namespace

cron_result parse_cron(std::string_view written) {
  return line_parser{}.parse(written);
}

}  // namespace declaration
