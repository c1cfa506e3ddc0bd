#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <quern/codec.hpp>
#include <string>
#include <string_view>

namespace quern {

/// Sixteen bytes in the order of their text form. Zeroes when nothing is given.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  constexpr uuid() = default;

  explicit constexpr uuid(const std::array<std::uint8_t, 16>& from) : bytes{from} {}

  /// From 32 hexadecimal digits of either case, with or without hyphens between their groups and braces around them.
  /// Throws codec_error for anything else.
  explicit uuid(std::string_view text);

  /// Like "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".
  std::string text() const;

  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

template <>
struct codec<uuid> {
  static constexpr oid type = types::uuid;
  static constexpr oid array_type = 2951;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, const uuid& value) { out.put_bytes(value.bytes.data(), value.bytes.size()); }

  static uuid decode(wire::reader& in, oid) {
    uuid value;
    std::memcpy(value.bytes.data(), in.take_bytes(value.bytes.size()).data(), value.bytes.size());
    return value;
  }
};

}  // namespace quern

template <>
struct std::hash<quern::uuid> {
  std::size_t operator()(const quern::uuid& value) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
  }
};
