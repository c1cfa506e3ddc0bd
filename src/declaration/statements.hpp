#pragma once

#include <cstddef>
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
  std::vector<std::string> path;  // the parts of its key
};

/// Splits a document into statements before it is parsed, to refuse what would exhaust the parser, to see what is
/// written twice, and to know where reading can go on after a mistake. It accepts more than TOML does. Reports
/// `too_deep`, `too_large`; nothing then may be parsed.
std::vector<statement> split_statements(std::string_view content, const text::line_index& lines, report& problems);

/// Reports headers and keys that are written a second time (`duplicate_key`) and returns the indices of these
/// statements, with those that stand below such a header.
std::vector<std::size_t> find_duplicates(const std::vector<statement>& statements, const text::line_index& lines,
                                         report& problems);

}  // namespace declaration
