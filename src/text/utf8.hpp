#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace text {

/// The offset of the first byte that is not well-formed UTF-8 (surrogates and overlong forms are not); nothing when all
/// is.
std::optional<std::size_t> find_invalid_utf8(std::string_view content);

/// One character of a text.
struct character {
  char32_t code_point = 0;
  std::size_t size = 1;  // bytes
};

/// The character at an offset inside the text; a byte that is not UTF-8 gives U+FFFD of one byte.
character character_at(std::string_view content, std::size_t offset);

/// How many characters a well-formed text has.
std::size_t count_characters(std::string_view content);

/// How many columns a terminal gives to a character: 0 (combining, zero width), 1 or 2 (wide, as in East Asian
/// scripts).
std::size_t display_width(char32_t code_point);

}  // namespace text
