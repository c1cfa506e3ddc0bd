#include "contract/lock_object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace contract {

void refuse(const json_node& node, std::string message) {
  throw wrong_lock{node.line, "lock_malformed", std::move(message)};
}

const json_node::members& members_of(const json_node& node, std::string_view what) {
  const auto* members = std::get_if<json_node::members>(&node.value);
  if (members == nullptr) refuse(node, fmt::format("{} must be an object", what));
  return *members;
}

const json_node::items& items_of(const json_node& node, std::string_view what) {
  const auto* items = std::get_if<json_node::items>(&node.value);
  if (items == nullptr) refuse(node, fmt::format("{} must be an array", what));
  return *items;
}

const std::string& text_of(const json_node& node, std::string_view what) {
  const auto* text = std::get_if<std::string>(&node.value);
  if (text == nullptr) refuse(node, fmt::format("{} must be a text", what));
  return *text;
}

std::int64_t number_of(const json_node& node, std::string_view what) {
  const auto* number = std::get_if<std::int64_t>(&node.value);
  if (number == nullptr) refuse(node, fmt::format("{} must be a whole number", what));
  return *number;
}

std::vector<std::string> read_texts(const json_node& node, std::string_view what) {
  std::vector<std::string> result;
  for (const auto& item : items_of(node, what)) result.push_back(text_of(item, fmt::format("a value of {}", what)));
  return result;
}

lock_object::lock_object(const json_node& node, std::string_view what, std::initializer_list<std::string_view> keys)
    : node_{node}, members_{members_of(node, what)}, what_{what} {
  for (const auto& [key, value] : members_) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      refuse(value, fmt::format("{} has the unknown key \"{}\"", what, key));
  }
}

const json_node* lock_object::find(std::string_view key) const {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const auto& each) { return each.name == key; });
  return found == members_.end() ? nullptr : &found->value;
}

const json_node& lock_object::get(std::string_view key) const {
  const auto* found = find(key);
  if (found == nullptr) refuse(node_, fmt::format("{} lacks the key \"{}\"", what_, key));
  return *found;
}

std::string lock_object::text(std::string_view key) const {
  return text_of(get(key), fmt::format("\"{}\"", key));
}

std::optional<std::string> lock_object::optional_text(std::string_view key) const {
  return find(key) == nullptr ? std::nullopt : std::optional{text(key)};
}

std::int64_t lock_object::number(std::string_view key) const {
  return number_of(get(key), fmt::format("\"{}\"", key));
}

bool lock_object::is_true(std::string_view key) const {
  const auto* found = find(key);
  if (found == nullptr) return false;
  const auto* value = std::get_if<bool>(&found->value);
  if (value == nullptr || !*value) refuse(*found, fmt::format("\"{}\" is true or left out", key));
  return true;
}

}  // namespace contract
