#pragma once

#include <optional>
#include <string_view>

#include "declaration/pattern_syntax.hpp"

namespace declaration {

character_set one(char32_t c);

/// `\d`, `\s`, `\w` and their negations; nothing for other letters.
std::optional<character_set> shorthand_set(char32_t letter);

/// `[:alpha:]` and the others, for ASCII.
std::optional<character_set> named_set(std::string_view name);

std::optional<char32_t> hexadecimal_digit(char32_t c);

bool contains(const character_set& set, char32_t c);

}  // namespace declaration
