#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// PostgreSQL's binary format at its lowest: numbers in network order, bytes, lengths.
namespace quern {

/// A type's number in the server's catalog.
using oid = std::uint32_t;

/// The numbers of the enum types that a connection has met, by their qualified names. They differ from database to
/// database and are needed to encode an array of an enum.
class enum_types {
 public:
  /// 0 when the name was never resolved on this connection.
  oid find(std::string_view name) const noexcept;
  void put(std::string_view name, oid type);

  std::vector<std::string> names() const;

 private:
  std::vector<std::pair<std::string, oid>> known_;
};

namespace wire {

/// PostgreSQL refuses a value, or a message, from 1 GiB on.
inline constexpr std::size_t largest_value = 0x3fffffff - 64;

template <class Unsigned>
constexpr Unsigned network_order(Unsigned value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(Unsigned) == 1) {
    return value;
  } else if constexpr (sizeof(Unsigned) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(Unsigned) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

/// A buffer that only grows at its end and is reused: after a while nothing is allocated.
class writer {
 public:
  const char* data() const noexcept { return data_.get(); }

  std::size_t size() const noexcept { return size_; }

  void clear() noexcept { size_ = 0; }

  /// Forgets what was written behind `size`.
  void shorten_to(std::size_t size) noexcept { size_ = size; }

  /// Gives the memory back as well when more than `limit` bytes are held.
  void clear_beyond(std::size_t limit) noexcept;

  template <class Unsigned>
  void put(Unsigned value) {
    const Unsigned swapped = network_order(value);
    std::memcpy(extend(sizeof swapped), &swapped, sizeof swapped);
  }

  void put_bytes(const void* bytes, std::size_t count) {
    if (count != 0) std::memcpy(extend(count), bytes, count);
  }

  /// Overwrites four bytes that were put before.
  void patch(std::size_t at, std::uint32_t value) noexcept {
    const std::uint32_t swapped = network_order(value);
    std::memcpy(data_.get() + at, &swapped, sizeof swapped);
  }

  /// The enum types of the connection that this is written for; may be null.
  const enum_types* types = nullptr;

 private:
  char* extend(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    char* const place = data_.get() + size_;
    size_ += count;
    return place;
  }

  void grow(std::size_t count);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Reads a value's bytes from front to back and throws codec_error rather than read past their end.
class reader {
 public:
  explicit reader(std::span<const std::byte> bytes) noexcept : rest_{bytes} {}

  template <class Unsigned>
  Unsigned take() {
    Unsigned swapped;
    std::memcpy(&swapped, take_bytes(sizeof swapped).data(), sizeof swapped);
    return network_order(swapped);
  }

  std::span<const std::byte> take_bytes(std::size_t count) {
    if (count > rest_.size()) fail_short(count);
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::span<const std::byte> take_rest() noexcept { return std::exchange(rest_, {}); }

  std::size_t left() const noexcept { return rest_.size(); }

  /// Throws codec_error when something is left.
  void expect_end() const {
    if (!rest_.empty()) fail_long();
  }

 private:
  [[noreturn]] void fail_short(std::size_t count) const;
  [[noreturn]] void fail_long() const;

  std::span<const std::byte> rest_;
};

/// Throws codec_error unless `text` is UTF-8 (no surrogates, no overlong forms) without a NUL.
void expect_text(std::string_view text);

/// At most `limit` bytes of a text of any origin, with a replacement character for each byte that expect_text()
/// refuses.
std::string as_valid_text(std::string_view text, std::size_t limit);

/// Throws codec_error when a value has more bytes than PostgreSQL takes.
void expect_size(std::size_t count);

inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace wire
}  // namespace quern
