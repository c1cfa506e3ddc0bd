#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "declaration/report.hpp"
#include "text/source.hpp"

namespace declaration {

/// `[a.b]`, `[[a.b]]`, `a.b = value`, or something else that stands where one of these should.
enum class statement_kind { header, array_header, key_value, junk };

/// A statement of a TOML document as bytes of it.
struct statement {
  statement_kind kind = statement_kind::junk;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t key_begin = 0;
  std::size_t key_end = 0;
  std::vector<std::string> path;        // the parts of its key
  std::optional<std::size_t> unclosed;  // the bracket or quote in it that nothing closes
  // The first character that is not ASCII and in no string or comment, or a quote in the middle of a value.
  std::optional<std::size_t> misplaced;
  std::size_t inner_tables = 0;  // that dotted keys inside braces make
  bool has_duplicates = false;   // keys inside braces, which have been reported
};

/// Splits a document into statements before it is parsed, to refuse what would exhaust the parser, to see what is
/// written twice, and to know where reading can go on after a mistake. It accepts more than TOML does. Reports
/// `too_deep`, `too_large`; nothing then may be parsed.
std::vector<statement> split_statements(std::string_view content, const text::line_index& lines, report& problems);

/// Reports headers and keys that are written a second time (`duplicate_key`) and returns the indices of these
/// statements, with those that stand below such a header.
std::vector<std::size_t> find_duplicates(const std::vector<statement>& statements, const text::line_index& lines,
                                         report& problems);

/// How many comparisons of two tables the parser may need: it looks through lists of those that dotted keys and headers
/// make without naming them. Grows with the square of their number.
std::uint64_t parse_cost(const std::vector<statement>& statements);

/// A path as one string, without ambiguity: TOML has no NUL.
std::string joined(const std::vector<std::string>& path);

/// The paths above a joined path, from the shortest; without itself.
std::vector<std::string> prefixes(const std::string& path);

/// A joined path as it is written.
std::string spelled(std::string path);

}  // namespace declaration
