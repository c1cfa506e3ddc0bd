#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace render {

class view;

/// A text in its final spelling, a flag, or a list of views.
using view_value = std::variant<std::string, bool, std::vector<view>>;

/// What a template can say: named values. The names must outlive the view; they are literals.
class view {
 public:
  using entry = std::pair<std::string_view, view_value>;

  void set(std::string_view name, std::string value) { entries_.emplace_back(name, std::move(value)); }

  void set(std::string_view name, const char* value) { entries_.emplace_back(name, std::string{value}); }

  void set_flag(std::string_view name, bool value) { entries_.emplace_back(name, value); }

  void set_list(std::string_view name, std::vector<view> items) { entries_.emplace_back(name, std::move(items)); }

  const std::vector<entry>& entries() const { return entries_; }

 private:
  std::vector<entry> entries_;
};

}  // namespace render
