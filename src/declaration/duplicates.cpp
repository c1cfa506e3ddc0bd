#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "declaration/codes.hpp"
#include "declaration/statements.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

/// Walks the statements with the header that each one stands below.
class duplicate_finder {
 public:
  duplicate_finder(const std::vector<statement>& statements, const text::line_index& lines, report& problems)
      : statements_(statements), lines_(lines), problems_(problems) {}

  std::vector<std::size_t> find() {
    for (std::size_t i = 0; i < statements_.size(); ++i) look_at(i);
    return std::move(twice_);
  }

 private:
  void look_at(std::size_t index) {
    const auto& s = statements_[index];
    if (s.kind == statement_kind::junk) return;
    if (s.kind == statement_kind::key_value) return look_at_key(index);
    const auto header = joined(s.path);
    is_in_array_ = s.kind == statement_kind::array_header || is_below_array(header);
    if (s.kind == statement_kind::array_header) arrays_.insert(header);
    is_skipped_ = !is_in_array_ && !declare(headers_, header, index, "");
    if (is_skipped_) twice_.push_back(index);
    keys_ = {};
    title_ = is_in_array_ ? std::string{} : spelled(header);
  }

  /// A header stands once, so only keys below the same one can be the same.
  void look_at_key(std::size_t index) {
    const bool is_first = is_skipped_ || is_in_array_ || declare(keys_, joined(statements_[index].path), index, title_);
    if (is_skipped_ || !is_first) twice_.push_back(index);
  }

  /// Below an array of tables the same key means another place each time.
  bool is_below_array(const std::string& header) const {
    if (arrays_.empty()) return false;
    const auto above = prefixes(header);
    return std::any_of(above.begin(), above.end(), [&](const std::string& p) { return arrays_.contains(p); });
  }

  bool declare(std::unordered_map<std::string, std::size_t>& known, const std::string& path, std::size_t index,
               std::string_view title) {
    const auto [first, is_new] = known.try_emplace(path, index);
    if (is_new) return true;
    const auto inside = title.empty() ? std::string{} : fmt::format(" in [{}]", text::clipped(title));
    auto& problem =
        problems_.error(code::duplicate_key, key_span(statements_[index]),
                        fmt::format("'{}' is declared a second time{}", text::clipped(spelled(path)), inside));
    problem.notes.push_back({"first declared here", key_span(statements_[first->second])});
    return false;
  }

  text::span key_span(const statement& s) const { return lines_.span_of(s.key_begin, s.key_end); }

  const std::vector<statement>& statements_;
  const text::line_index& lines_;
  report& problems_;
  std::unordered_map<std::string, std::size_t> headers_;
  std::unordered_map<std::string, std::size_t> keys_;  // below the header
  std::unordered_set<std::string> arrays_;
  std::vector<std::size_t> twice_;
  std::string title_;  // of the header
  bool is_skipped_ = false;
  bool is_in_array_ = false;
};

}  // namespace

std::vector<std::size_t> find_duplicates(const std::vector<statement>& statements, const text::line_index& lines,
                                         report& problems) {
  return duplicate_finder(statements, lines, problems).find();
}

}  // namespace declaration
