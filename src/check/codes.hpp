#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "text/diagnostic.hpp"

namespace check {

/// Everything there is to know of a kind of finding.
struct code {
  std::string_view name;  // stable, snake_case: what `[…]` behind a message says
  std::string_view title;
  text::severity level = text::severity::error;
  std::string_view explanation;  // several lines: why, an example, the way out
};

/// The codes of one origin, in the order in which they are listed.
struct code_group {
  std::string_view name;
  std::span<const code> codes;
};

/// The one table of all codes that the program prints.
const std::vector<code_group>& code_groups();

/// The entry of a code, or null.
const code* find_code(std::string_view name);

/// The names of all codes.
std::vector<std::string_view> code_names();

// The parts of the table.
std::span<const code> declaration_codes();
std::span<const code> field_codes();
std::span<const code> file_codes();
std::span<const code> contract_codes();
std::span<const code> history_codes();
std::span<const code> hook_codes();
std::span<const code> hook_lock_codes();
std::span<const code> server_codes();

}  // namespace check
