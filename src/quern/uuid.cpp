#include "quern/uuid.hpp"

#include "quern/error.hpp"

namespace quern {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

[[noreturn]] void fail(std::string_view text) {
  throw codec_error{"\"" + std::string{text.substr(0, 64)} + "\" is no uuid"};
}

// A hyphen stands before these bytes of the canonical form.
bool begins_group(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

uuid::uuid(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('{') && rest.ends_with('}') && rest.size() > 2) rest = rest.substr(1, rest.size() - 2);
  const bool has_hyphens = rest.size() == 36;
  if (!has_hyphens && rest.size() != 32) fail(text);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (has_hyphens && begins_group(i)) {
      if (rest[0] != '-') fail(text);
      rest.remove_prefix(1);
    }
    const int high = digit_value(rest[0]);
    const int low = digit_value(rest[1]);
    if (high < 0 || low < 0) fail(text);
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    rest.remove_prefix(2);
  }
}

std::string uuid::text() const {
  std::string written;
  written.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (begins_group(i)) written += '-';
    written += digits[bytes[i] >> 4U];
    written += digits[bytes[i] & 15U];
  }
  return written;
}

}  // namespace quern
