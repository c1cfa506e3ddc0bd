#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/diagnostic.hpp"

namespace declaration {

/// Collects what is wrong.
class report {
 public:
  /// The reference is for adding help and notes at once; it does not outlive the next call.
  text::diagnostic& error(std::string_view code, const text::span& where, std::string message) {
    return found_.emplace_back(
        text::diagnostic{text::severity::error, std::string(code), std::move(message), where, {}, {}});
  }

  bool is_empty() const { return found_.empty(); }

  std::size_t count() const { return found_.size(); }

  bool has(std::string_view code) const {
    return std::any_of(found_.begin(), found_.end(), [&](const text::diagnostic& d) { return d.code == code; });
  }

  /// Sorted by position.
  std::vector<text::diagnostic> take() {
    text::sort_by_position(found_);
    return std::exchange(found_, {});
  }

 private:
  std::vector<text::diagnostic> found_;
};

}  // namespace declaration
