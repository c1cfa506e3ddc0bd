#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/json_tree.hpp"

/// Reads the JSON of a lock, in which everything is known: after the first odd value nothing that follows can be
/// trusted. Every function here throws wrong_lock at a value that is not as it must be. Part of read_lock().
namespace contract {

struct wrong_lock {
  static constexpr std::string_view rebuild_help =
      "quern writes this file and it is history: take it from version control again instead of editing it";

  std::size_t line = 0;
  std::string code;
  std::string message;
  std::string help{rebuild_help};
};

[[noreturn]] void refuse(const json_node& node, std::string message);

/// `what` says in the message which value it is.
const json_node::members& members_of(const json_node& node, std::string_view what);
const json_node::items& items_of(const json_node& node, std::string_view what);
const std::string& text_of(const json_node& node, std::string_view what);
std::int64_t number_of(const json_node& node, std::string_view what);
std::vector<std::string> read_texts(const json_node& node, std::string_view what);

/// An object whose keys are all known. It refers to the tree.
class lock_object {
 public:
  lock_object(const json_node& node, std::string_view what, std::initializer_list<std::string_view> keys);

  /// nullptr: there is no such key.
  const json_node* find(std::string_view key) const;

  const json_node& get(std::string_view key) const;

  std::string text(std::string_view key) const;

  std::optional<std::string> optional_text(std::string_view key) const;

  std::int64_t number(std::string_view key) const;

  /// A flag is true or left out.
  bool is_true(std::string_view key) const;

 private:
  const json_node& node_;
  const json_node::members& members_;
  std::string_view what_;
};

}  // namespace contract
