#include "quern/wire.hpp"

#include <algorithm>

#include "quern/error.hpp"

namespace quern {

oid enum_types::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(known_, name, &std::pair<std::string, oid>::first);
  return found == known_.end() ? 0 : found->second;
}

void enum_types::put(std::string_view name, oid type) {
  const auto found = std::ranges::find(known_, name, &std::pair<std::string, oid>::first);
  if (found == known_.end()) {
    known_.emplace_back(name, type);
  } else {
    found->second = type;
  }
}

std::vector<std::string> enum_types::names() const {
  std::vector<std::string> all;
  for (const auto& each : known_) all.push_back(each.first);
  return all;
}

namespace wire {
namespace {

// The length of the well-formed sequence at `at` (Unicode 15, table 3-7), or 0.
std::size_t sequence_length(const unsigned char* at, std::size_t left) noexcept {
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < left && at[i] >= low && at[i] <= high;
  };
  const unsigned first = at[0];
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return continues(1) ? 2 : 0;
  if (first < 0xf0) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  const unsigned low = first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
  return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

// Eight bytes that are all ASCII and none of them zero.
bool is_plain(const unsigned char* at) noexcept {
  std::uint64_t eight;
  std::memcpy(&eight, at, sizeof eight);
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  constexpr std::uint64_t low_bits = 0x0101010101010101;
  return ((eight | (eight - low_bits)) & high_bits) == 0;
}

}  // namespace

void writer::clear_beyond(std::size_t limit) noexcept {
  size_ = 0;
  if (capacity_ <= limit) return;
  data_.reset();
  capacity_ = 0;
}

void writer::grow(std::size_t count) {
  const std::size_t capacity = std::max({size_ + count, capacity_ * 2, std::size_t{1024}});
  std::unique_ptr<char[]> larger{new char[capacity]};
  if (size_ != 0) std::memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = capacity;
}

void reader::fail_short(std::size_t count) const {
  throw codec_error{"malformed value from the server: " + std::to_string(count) + " bytes are expected where " +
                    std::to_string(rest_.size()) + " are left"};
}

void reader::fail_long() const {
  throw codec_error{"malformed value from the server: " + std::to_string(rest_.size()) + " bytes too many"};
}

void expect_text(std::string_view text) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && is_plain(bytes + i)) {
      i += 8;
      continue;
    }
    const std::size_t length = sequence_length(bytes + i, text.size() - i);
    if (length == 0 && bytes[i] == 0)
      throw codec_error{"text for PostgreSQL must not contain a NUL: found at byte " + std::to_string(i)};
    if (length == 0) throw codec_error{"text must be valid UTF-8: malformed at byte " + std::to_string(i)};
    i += length;
  }
}

std::string as_valid_text(std::string_view text, std::size_t limit) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(bytes + i, text.size() - i);
    const std::string_view piece = length == 0 ? "\xef\xbf\xbd" : text.substr(i, length);
    if (valid.size() + piece.size() > limit) break;
    valid += piece;
    i += length == 0 ? 1 : length;
  }
  return valid;
}

void expect_size(std::size_t count) {
  if (count > largest_value)
    throw codec_error{"a value of " + std::to_string(count) + " bytes is too large: PostgreSQL takes less than 1 GiB"};
}

}  // namespace wire
}  // namespace quern
