#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "declaration/report.hpp"
#include "declaration/tree.hpp"

/// Reading single keys; what is wrong is reported and gives nothing.
namespace declaration {

/// The keys that a table may have.
struct known_keys {
  std::span<const std::string_view> built;
  std::span<const std::string_view> planned;      // in the design, but not built yet
  std::span<const std::string_view> misplaced{};  // the reader says where they belong
};

/// Reports `unknown_key` and `not_built_yet`; the title says where: "[queues.email]".
void check_keys(const node& table, const known_keys& keys, std::string_view title, report& problems);

/// Reports `wrong_type` unless the value is of the kind; `expected` says what it must be.
bool check_kind(const entry& from, node_kind kind, std::string_view expected, report& problems);

/// A text without NUL.
std::optional<std::string> read_text(const entry& from, std::string_view expected, report& problems);

std::optional<bool> read_boolean(const entry& from, report& problems);

std::optional<std::int64_t> read_whole(const entry& from, std::int64_t min, std::int64_t max, report& problems);

/// Microseconds within the limits.
std::optional<std::int64_t> read_duration(const entry& from, std::int64_t min, std::int64_t max, report& problems);

/// The index of the one of the choices that is written.
std::optional<std::size_t> read_choice(const entry& from, std::span<const std::string_view> choices, report& problems);

/// The strings of an array, each with its node; other items are reported.
std::vector<const node*> read_strings(const entry& from, std::string_view expected, report& problems);

}  // namespace declaration
