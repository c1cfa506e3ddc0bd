#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "check/codes.hpp"
#include "check/format.hpp"
#include "text/utf8.hpp"

namespace check {
namespace {

/// A text in a command of GitHub Actions; in a property, commas and colons would end it.
std::string as_data(std::string_view text, bool is_property) {
  std::string made;
  for (const char c : text) {
    const bool is_escaped = c == '%' || c == '\r' || c == '\n' || (is_property && (c == ',' || c == ':'));
    if (is_escaped) {
      made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      made += c;
    }
  }
  return made;
}

std::string title_of(const finding& one) {
  const code* const known = find_code(one.what.code);
  return known == nullptr ? one.what.code : fmt::format("{} [{}]", known->title, known->name);
}

std::string annotation_of(const finding& one, const text::source& source) {
  const text::span& where = one.what.where;
  std::string made = fmt::format("::{} file={}", one.what.level == text::severity::error ? "error" : "warning",
                                 as_data(one.file, true));
  if (where.begin.line > 0) {
    const text::line_index lines{source.content};
    made += fmt::format(",line={},endLine={}", where.begin.line, where.end.line);
    // GitHub takes columns only where the place lies in one line.
    if (where.end.line == where.begin.line)
      made += fmt::format(",col={},endColumn={}", character_column(lines.line(where.begin.line), where.begin.column),
                          character_column(lines.line(where.end.line), where.end.column));
  }
  const std::string help = one.what.help.empty() ? "" : "\n" + one.what.help;
  return made + fmt::format(",title={}::{}\n", as_data(title_of(one), true), as_data(one.what.message + help, false));
}

/// A text in a cell of a table in Markdown.
std::string as_cell(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      made += ' ';
    } else if (c == '<') {
      made += "&lt;";
    } else if (c == '&') {
      made += "&amp;";
    } else {
      if (c == '|' || c == '\\') made += '\\';
      made += c;
    }
  }
  return made;
}

/// A text in XML: what XML cannot hold at all becomes U+FFFD.
std::string as_xml(std::string_view text) {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    const text::character c = text::character_at(text, at);
    const bool is_control = c.code_point < 0x20 && c.code_point != '\n' && c.code_point != '\t';
    if (is_control || c.code_point == 0xFFFD || c.code_point == 0xFFFE || c.code_point == 0xFFFF) {
      made += "\xEF\xBF\xBD";
    } else if (c.code_point == '&') {
      made += "&amp;";
    } else if (c.code_point == '<') {
      made += "&lt;";
    } else if (c.code_point == '>') {
      made += "&gt;";
    } else if (c.code_point == '"') {
      made += "&quot;";
    } else if (c.code_point == '\n') {
      made += "&#10;";
    } else {
      made += text.substr(at, c.size);
    }
    at += c.size;
  }
  return made;
}

std::string place_of(const finding& one) {
  const text::position& begin = one.what.where.begin;
  return begin.line == 0 ? one.file : fmt::format("{}:{}:{}", one.file, begin.line, begin.column);
}

bool is_failure(const finding& one) {
  return one.what.level == text::severity::error;
}

/// One test case: the errors are its failure, the warnings its output.
std::string test_case_of(const report& found, std::string_view check) {
  std::string failures;
  std::string warnings;
  std::size_t count = 0;
  for (const finding& one : found.findings) {
    if (one.check != check) continue;
    const std::string help = one.what.help.empty() ? "" : "\n" + one.what.help;
    std::string& into = is_failure(one) ? failures : warnings;
    if (is_failure(one)) ++count;
    into += fmt::format("{}: {} [{}]{}\n", place_of(one), one.what.message, one.what.code, help);
  }
  std::string made = fmt::format("    <testcase classname=\"quern.check\" name=\"{}\"", as_xml(check));
  if (failures.empty() && warnings.empty()) return made + "/>\n";
  made += ">\n";
  if (!failures.empty())
    made += fmt::format("      <failure message=\"{} {}\" type=\"finding\">{}</failure>\n", count,
                        count == 1 ? "error" : "errors", as_xml(failures));
  if (!warnings.empty()) made += fmt::format("      <system-out>{}</system-out>\n", as_xml(warnings));
  return made + "    </testcase>\n";
}

}  // namespace

std::string spell_github(const report& found) {
  std::string made;
  for (const finding& one : found.findings) made += annotation_of(one, source_of(found, one));
  return made;
}

std::string spell_summary(const report& found) {
  std::string made = fmt::format("### quern check: {}\n", summary_of(found));
  if (found.findings.empty()) return made;
  made += "\n| | place | finding | code |\n|---|---|---|---|\n";
  for (const finding& one : found.findings)
    made += fmt::format("| {} | {} | {} | {} |\n", is_failure(one) ? "error" : "warning", as_cell(place_of(one)),
                        as_cell(one.what.message), as_cell(one.what.code));
  return made;
}

std::string spell_junit(const report& found) {
  const auto failed = std::ranges::count_if(found.checks, [&](std::string_view check) {
    return std::ranges::any_of(found.findings,
                               [&](const finding& one) { return one.check == check && is_failure(one); });
  });
  std::string made = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const auto head = [&](std::string_view tag) {
    return fmt::format("<{} name=\"quern check\" tests=\"{}\" failures=\"{}\" errors=\"0\"", tag, found.checks.size(),
                       failed);
  };
  made += head("testsuites") + ">\n  " + head("testsuite") + " skipped=\"0\">\n";
  for (const std::string_view check : found.checks) made += test_case_of(found, check);
  return made + "  </testsuite>\n</testsuites>\n";
}

}  // namespace check
