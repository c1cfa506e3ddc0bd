#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/source.hpp"

namespace declaration {

enum class node_kind { table, array, string, integer, floating, boolean, date_time };

struct entry;

/// A value of a TOML document with its place. `text` holds the content of a string, and numbers and dates as written.
struct node {
  node_kind kind = node_kind::table;
  text::span where;
  std::string text;
  std::int64_t integer = 0;
  double floating = 0;
  bool boolean = false;
  std::vector<node> items;     // of an array
  std::vector<entry> entries;  // of a table, in the order in which they are written
};

/// `key = value`; `where` is the key as first written, also inside a `[header]`.
struct entry {
  std::string key;
  text::span where;
  node value;
};

/// The entry of a table with this key, or nullptr.
const entry* find_entry(const node& table, std::string_view key);

/// Where a part of a string is written, at least one byte of it: all of the string when it does not stand there as it
/// is.
text::span place_of(const node& written, std::size_t offset, std::size_t size);

/// "an array", "a string": for messages.
std::string_view kind_name(node_kind kind);

}  // namespace declaration
