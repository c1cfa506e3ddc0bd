#include "declaration/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/statements.hpp"
#include "text/excerpt.hpp"
#include "text/utf8.hpp"

// Without NDEBUG its assertions are what cmake/dependencies.cmake makes of them: nothing, and no assumptions either.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace declaration {
namespace {

constexpr std::size_t most_syntax_errors = 20;
constexpr std::uint64_t highest_parse_cost = 4'000'000'000;  // a few seconds
constexpr std::size_t most_parsed_again =
    std::size_t{32} * 1024 * 1024;  // bytes: reading a large file 20 times takes too long

/// The parser counts columns in characters, the project in bytes.
class column_converter {
 public:
  explicit column_converter(const text::line_index& lines) : lines_(lines) {}

  text::position convert(const toml::source_position& where) {
    return {where.line, column_of(where.line, where.column)};
  }

  text::span convert(const toml::source_region& where) { return {convert(where.begin), convert(where.end)}; }

 private:
  static constexpr std::size_t stride = 64;  // characters between two known places of a long line

  std::size_t column_of(std::size_t number, std::size_t column) {
    const auto line = lines_.line(number);
    const auto characters = column == 0 ? 0 : column - 1;
    if (line.size() <= 4 * stride) return walk(line, 0, characters) + 1;
    const auto& known = places_in(number, line);
    const auto nearest = std::min(characters / stride, known.size() - 1);
    return walk(line, known[nearest], characters - nearest * stride) + 1;
  }

  /// The offset that lies some characters behind another; behind the end there is one byte for each character.
  static std::size_t walk(std::string_view line, std::size_t offset, std::size_t characters) {
    for (; characters > 0 && offset < line.size(); --characters) {
      const bool is_ascii = static_cast<unsigned char>(line[offset]) < 0x80;
      offset += is_ascii ? 1 : text::character_at(line, offset).size;
    }
    return offset + characters;
  }

  const std::vector<std::size_t>& places_in(std::size_t number, std::string_view line) {
    auto& known = places_[number];
    if (!known.empty()) return known;
    std::size_t count = 0;
    for (std::size_t offset = 0; offset < line.size(); ++count) {
      if (count % stride == 0) known.push_back(offset);
      offset += text::character_at(line, offset).size;
    }
    return known;
  }

  const text::line_index& lines_;
  std::unordered_map<std::size_t, std::vector<std::size_t>> places_;
};

/// Turns the parser's tables, which iterate by name, into a tree in the order of the text.
class tree_builder {
 public:
  tree_builder(std::string_view content, const text::line_index& lines)
      : content_(content), lines_(lines), columns_(lines) {}

  node build(const toml::node& from) {
    node result;
    result.where = columns_.convert(from.source());
    if (const auto* table = from.as_table()) {
      fill(result, *table);
    } else if (const auto* array = from.as_array()) {
      result.kind = node_kind::array;
      for (const auto& item : *array) result.items.push_back(build(item));
    } else {
      fill_value(result, from);
    }
    return result;
  }

 private:
  void fill(node& result, const toml::table& table) {
    struct place {
      text::span where;
      const toml::key* key;
      const toml::node* value;
    };

    std::vector<place> places;
    places.reserve(table.size());
    for (const auto& [key, value] : table) places.push_back({columns_.convert(key.source()), &key, &value});
    std::stable_sort(places.begin(), places.end(),
                     [](const place& a, const place& b) { return a.where.begin < b.where.begin; });
    result.kind = node_kind::table;
    result.entries.reserve(places.size());
    for (const auto& p : places) result.entries.push_back({std::string(p.key->str()), p.where, build(*p.value)});
  }

  void fill_value(node& result, const toml::node& from) {
    if (const auto* string = from.as_string()) {
      result.kind = node_kind::string;
      result.text = string->get();
      return;
    }
    const auto begin = lines_.offset_of(result.where.begin);
    result.text = content_.substr(begin, lines_.offset_of(result.where.end) - begin);
    if (const auto* integer = from.as_integer()) {
      result.kind = node_kind::integer;
      result.integer = integer->get();
    } else if (const auto* floating = from.as_floating_point()) {
      result.kind = node_kind::floating;
      result.floating = floating->get();
    } else if (const auto* boolean = from.as_boolean()) {
      result.kind = node_kind::boolean;
      result.boolean = boolean->get();
    } else {
      result.kind = node_kind::date_time;
    }
  }

  std::string_view content_;
  const text::line_index& lines_;
  column_converter columns_;
};

/// Hides statements from the parser; every other byte stays in its place.
void blank_out(std::string& content, std::size_t begin, std::size_t end) {
  for (auto i = begin; i < end && i < content.size(); ++i) {
    if (content[i] != '\n') content[i] = ' ';
  }
}

/// Parses again and again, with the statement of each mistake hidden.
class patient_parser {
 public:
  patient_parser(std::string_view content, const text::line_index& lines, report& problems)
      : original_(content), content_(content), lines_(lines), columns_(lines), problems_(problems) {}

  std::optional<node> parse() {
    statements_ = split_statements(content_, lines_, problems_);
    if (!can_be_parsed()) return std::nullopt;
    std::size_t mistakes = hide_own_mistakes();
    std::size_t parsed = 0;
    do {
      try {
        const auto table = toml::parse(std::string_view(content_));
        if (mistakes > 0) return std::nullopt;
        return tree_builder(original_, lines_).build(table);
      } catch (const toml::parse_error& mistake) {
        ++mistakes;
        parsed += content_.size();
        if (!note(mistake)) return std::nullopt;
      }
    } while (mistakes < most_syntax_errors && parsed < most_parsed_again);
    return std::nullopt;
  }

 private:
  bool can_be_parsed() {
    if (problems_.has(code::too_deep)) return false;
    if (parse_cost(statements_) <= highest_parse_cost) return true;
    auto& problem =
        problems_.error(code::too_large, {}, "there are too many dotted keys and tables in this declaration");
    problem.help = "write tables with a header of their own: [queues.email]";
    return false;
  }

  /// Hides what need not be parsed to be wrong. Gives the number of statements that lack so much without it that
  /// nothing can be said of the whole.
  std::size_t hide_own_mistakes() {
    for (const auto index : find_duplicates(statements_, lines_, problems_)) hide(index);
    std::size_t mistakes = 0;
    for (std::size_t i = 0; i < statements_.size(); ++i) {
      const auto& misplaced = statements_[i].misplaced;
      if (misplaced) report_misplaced(*misplaced);
      if (!misplaced && !statements_[i].has_duplicates) continue;
      hide_with_body(i);
      ++mistakes;
    }
    return mistakes;
  }

  void report_misplaced(std::size_t offset) {
    const auto size = text::character_at(original_, offset).size;
    const auto place = lines_.span_of(offset, offset + size);
    const auto shown = text::clipped(original_.substr(offset, size));
    if (size == 1) {
      problems_
          .error(code::invalid_toml, place, fmt::format("this is not TOML: {} stands in the middle of a value", shown))
          .help = "a text stands in quotes as a whole";
    } else {
      problems_.error(code::invalid_toml, place, fmt::format("this is not TOML: '{}' stands outside of quotes", shown))
          .help = "keys without quotes have the letters a-z and A-Z, digits, '_' and '-'";
    }
  }

  /// False when the mistake is in no statement that could be hidden.
  bool note(const toml::parse_error& mistake) {
    const auto where = columns_.convert(mistake.source().begin);
    const auto offset = lines_.offset_of(where);
    const auto next = std::partition_point(statements_.begin(), statements_.end(),
                                           [&](const statement& s) { return s.begin <= offset; });
    if (next == statements_.begin()) return report_mistake(mistake, where, {}), false;
    const auto& wrong = *(next - 1);
    report_mistake(mistake, where, wrong);
    const auto begin = content_.begin() + static_cast<std::ptrdiff_t>(wrong.begin);
    const auto end = content_.begin() + static_cast<std::ptrdiff_t>(wrong.end);
    if (std::all_of(begin, end, [](char c) { return c == ' ' || c == '\n'; })) return false;
    hide_with_body(static_cast<std::size_t>(next - statements_.begin()) - 1);
    return true;
  }

  void report_mistake(const toml::parse_error& mistake, text::position where, const statement& wrong) {
    if (wrong.unclosed && *wrong.unclosed <= lines_.offset_of(where)) {
      const auto opening = original_.substr(*wrong.unclosed, original_.substr(*wrong.unclosed, 3) == "\"\"\"" ? 3 : 1);
      const auto place = lines_.span_of(*wrong.unclosed, *wrong.unclosed + opening.size());
      problems_.error(code::invalid_toml, place, fmt::format("this is not TOML: '{}' is not closed", opening));
      return;
    }
    const auto reason = reason_of(mistake);
    constexpr std::string_view twice = "cannot redefine existing ";
    const bool is_twice = reason.starts_with(twice);
    problems_
        .error(is_twice ? code::duplicate_key : code::invalid_toml, {where, {where.line, where.column + 1}},
               is_twice ? fmt::format("declared a second time: {}", reason.substr(twice.size()))
                        : fmt::format("this is not TOML: {}", reason))
        .help = help_for(wrong);
  }

  static std::string reason_of(const toml::parse_error& mistake) {
    constexpr std::string_view opening = "Error while parsing ";
    std::string_view words = mistake.description();
    if (words.starts_with(opening)) words.remove_prefix(opening.size());
    const auto colon = words.find(": ");
    if (colon == std::string_view::npos || words.starts_with("root table")) {
      return std::string(words.substr(colon == std::string_view::npos ? 0 : colon + 2));
    }
    return fmt::format("{} (in a {})", words.substr(colon + 2), words.substr(0, colon));
  }

  /// The commonest mistake by far: `lease = 30s`.
  std::string help_for(const statement& wrong) const {
    if (wrong.kind != statement_kind::key_value) return {};
    auto written = original_.substr(wrong.key_end, wrong.end - wrong.key_end);
    written.remove_prefix(std::min(written.find_first_not_of(" \t="), written.size()));
    const auto word = written.substr(0, written.find_first_of(" \t\r\n#,"));
    const bool is_word = !word.empty() && word.find_first_of("\"'[]{}=") == std::string_view::npos;
    const bool has_letter =
        std::any_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    return is_word && has_letter ? fmt::format("a text stands in quotes: \"{}\"", text::clipped(word)) : std::string{};
  }

  void hide(std::size_t index) { blank_out(content_, statements_[index].begin, statements_[index].end); }

  /// Without its header the body would go to the table before.
  void hide_with_body(std::size_t index) {
    const bool has_body = original_[statements_[index].begin] == '[';
    do {
      hide(index++);
    } while (has_body && index < statements_.size() && original_[statements_[index].begin] != '[');
  }

  std::string_view original_;
  std::string content_;
  const text::line_index& lines_;
  column_converter columns_;
  report& problems_;
  std::vector<statement> statements_;
};

}  // namespace

std::optional<node> parse_toml(std::string_view content, const text::line_index& lines, report& problems) {
  return patient_parser(content, lines, problems).parse();
}

}  // namespace declaration
