#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace torture {

/// What the checkers found.
class report {
 public:
  /// `promise` is what was broken: I1 … I6 of streams, or words.
  template <class... Values>
  void violation(const std::string& promise, fmt::format_string<Values...> text, Values&&... values) {
    violations_[promise].push_back(fmt::format(text, std::forward<Values>(values)...));
  }

  void count(const std::string& what, std::uint64_t more) {
    for (auto& [name, number] : counts_)
      if (name == what) return void(number += more);
    counts_.emplace_back(what, more);
  }

  bool is_clean() const { return violations_.empty(); }

  const std::map<std::string, std::vector<std::string>>& violations() const { return violations_; }

  /// In the order in which they were first counted.
  const std::vector<std::pair<std::string, std::uint64_t>>& counts() const { return counts_; }

 private:
  std::map<std::string, std::vector<std::string>> violations_;
  std::vector<std::pair<std::string, std::uint64_t>> counts_;
};

}  // namespace torture
