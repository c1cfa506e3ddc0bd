#include "text/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace text {
namespace {

struct lead {
  std::size_t size = 0;  // 0: no character starts with this byte
  char32_t bits = 0;
  char32_t smallest = 0;
};

lead read_lead(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC2 && byte < 0xE0) return {2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF5) return {4, byte & 0x07U, 0x10000};
  return {};
}

std::optional<character> decode(std::string_view rest) {
  const auto first = read_lead(static_cast<unsigned char>(rest.front()));
  if (first.size == 0 || first.size > rest.size()) return std::nullopt;
  auto code_point = first.bits;
  for (std::size_t i = 1; i < first.size; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    if ((byte & 0xC0U) != 0x80U) return std::nullopt;
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < first.smallest || code_point > 0x10FFFF || is_surrogate) return std::nullopt;
  return character{code_point, first.size};
}

/// Most of a declaration is ASCII: eight bytes at a time are passed over.
std::size_t skip_ascii(std::string_view content, std::size_t offset) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  while (content.size() - offset >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, content.data() + offset, sizeof word);
    if ((word & high_bits) != 0) return offset;
    offset += sizeof word;
  }
  return offset;
}

struct range {
  char32_t first;
  char32_t last;
};

// Unicode 15: general categories Mn and Me of the common scripts, zero-width spaces and joiners, variation selectors.
constexpr std::array zero_width{
    range{0x0300, 0x036F}, range{0x0483, 0x0489}, range{0x0591, 0x05BD},  range{0x0610, 0x061A}, range{0x064B, 0x065F},
    range{0x0900, 0x0902}, range{0x0E31, 0x0E31}, range{0x0E34, 0x0E3A},  range{0x1AB0, 0x1AFF}, range{0x1DC0, 0x1DFF},
    range{0x200B, 0x200F}, range{0x202A, 0x202E}, range{0x2060, 0x2064},  range{0x20D0, 0x20F0}, range{0xFE00, 0xFE0F},
    range{0xFE20, 0xFE2F}, range{0xFEFF, 0xFEFF}, range{0xE0100, 0xE01EF}};

// Unicode 15: East Asian width W and F, and what terminals show as an emoji.
constexpr std::array wide{
    range{0x1100, 0x115F},   range{0x231A, 0x231B},   range{0x23E9, 0x23EC},   range{0x2E80, 0x303E},
    range{0x3041, 0x33FF},   range{0x3400, 0x4DBF},   range{0x4E00, 0x9FFF},   range{0xA000, 0xA4CF},
    range{0xA960, 0xA97F},   range{0xAC00, 0xD7A3},   range{0xF900, 0xFAFF},   range{0xFE30, 0xFE6F},
    range{0xFF00, 0xFF60},   range{0xFFE0, 0xFFE6},   range{0x1B000, 0x1B2FF}, range{0x1F300, 0x1F64F},
    range{0x1F680, 0x1F6FF}, range{0x1F900, 0x1F9FF}, range{0x20000, 0x3FFFD}};

template <typename Ranges>
bool is_among(const Ranges& ranges, char32_t code_point) {
  const auto found = std::lower_bound(ranges.begin(), ranges.end(), code_point,
                                      [](const range& r, char32_t wanted) { return r.last < wanted; });
  return found != ranges.end() && found->first <= code_point;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view content) {
  for (std::size_t offset = skip_ascii(content, 0); offset < content.size();) {
    const auto found = decode(content.substr(offset));
    if (!found) return offset;
    offset += found->size;
    if (found->size == 1) offset = skip_ascii(content, offset);
  }
  return std::nullopt;
}

character character_at(std::string_view content, std::size_t offset) {
  return decode(content.substr(offset)).value_or(character{0xFFFD, 1});
}

std::size_t count_characters(std::string_view content) {
  return static_cast<std::size_t>(std::count_if(
      content.begin(), content.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::size_t display_width(char32_t code_point) {
  if (code_point < 0x300) return 1;
  if (is_among(zero_width, code_point)) return 0;
  return is_among(wide, code_point) ? 2 : 1;
}

}  // namespace text
