#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <quern/wire.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace quern {

/// The numbers of the types that are built into PostgreSQL (pg_type.dat of its sources).
namespace types {
inline constexpr oid boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25, oid_type = 26,
                     json = 114, float4 = 700, float8 = 701, unknown = 705, bpchar = 1042, varchar = 1043, date = 1082,
                     timestamptz = 1184, interval = 1186, numeric = 1700, void_type = 2278, uuid = 2950, jsonb = 3802;
inline constexpr oid first_of_users = 16384;
}  // namespace types

/// How a C++ type travels in PostgreSQL's binary format. A specialisation has
///   static constexpr oid type, array_type;        // 0: let the server infer it
///   static bool accepts(oid)                      // may a column of this type be read as T?
///   static void encode(wire::writer&, const T&)   // throws codec_error for what PostgreSQL cannot hold
///   static T decode(wire::reader&, oid)           // throws codec_error for what is no value of the type
template <class T>
struct codec;

[[noreturn]] void fail_wrong_type(oid type);
[[noreturn]] void fail_inexact_integer();
[[noreturn]] void fail_null();

template <class T>
concept wire_integer = std::signed_integral<T> && !std::same_as<T, char> && !std::same_as<T, wchar_t> && sizeof(T) >= 2;

/// int16, int32, int64. Reading converts between the widths and fails where the number does not fit.
template <wire_integer T>
struct codec<T> {
  static constexpr oid type = sizeof(T) == 2 ? types::int2 : sizeof(T) == 4 ? types::int4 : types::int8;
  static constexpr oid array_type = sizeof(T) == 2 ? 1005 : sizeof(T) == 4 ? 1007 : 1016;

  static bool accepts(oid column) {
    return column == types::int2 || column == types::int4 || column == types::int8 || column == types::oid_type;
  }

  static void encode(wire::writer& out, T value) { out.put(static_cast<std::make_unsigned_t<T>>(value)); }

  static T decode(wire::reader& in, oid column) {
    const std::int64_t wide = column == types::int2   ? static_cast<std::int16_t>(in.take<std::uint16_t>())
                              : column == types::int4 ? static_cast<std::int32_t>(in.take<std::uint32_t>())
                              : column == types::int8 ? static_cast<std::int64_t>(in.take<std::uint64_t>())
                                                      : static_cast<std::int64_t>(in.take<std::uint32_t>());
    if (!std::in_range<T>(wide)) fail_inexact_integer();
    return static_cast<T>(wide);
  }
};

template <>
struct codec<bool> {
  static constexpr oid type = types::boolean;
  static constexpr oid array_type = 1000;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, bool value) { out.put(static_cast<std::uint8_t>(value)); }

  static bool decode(wire::reader& in, oid) { return in.take<std::uint8_t>() != 0; }
};

template <>
struct codec<float> {
  static constexpr oid type = types::float4;
  static constexpr oid array_type = 1021;

  static bool accepts(oid column) { return column == type; }

  static void encode(wire::writer& out, float value) { out.put(std::bit_cast<std::uint32_t>(value)); }

  static float decode(wire::reader& in, oid) { return std::bit_cast<float>(in.take<std::uint32_t>()); }
};

template <>
struct codec<double> {
  static constexpr oid type = types::float8;
  static constexpr oid array_type = 1022;

  static bool accepts(oid column) { return column == type || column == types::float4; }

  static void encode(wire::writer& out, double value) { out.put(std::bit_cast<std::uint64_t>(value)); }

  static double decode(wire::reader& in, oid column) {
    if (column == types::float4) return static_cast<double>(codec<float>::decode(in, column));
    return std::bit_cast<double>(in.take<std::uint64_t>());
  }
};

/// Text that the caller keeps alive until it is encoded. It is not decoded: a row's text would outlive the row.
template <>
struct codec<std::string_view> {
  static constexpr oid type = types::text;
  static constexpr oid array_type = 1009;

  static void encode(wire::writer& out, std::string_view value) {
    wire::expect_size(value.size());
    wire::expect_text(value);
    out.put_bytes(value.data(), value.size());
  }
};

/// UTF-8 without NUL, checked both ways. A column of an enum or of another type of the user's is read as its text.
template <>
struct codec<std::string> : codec<std::string_view> {
  static bool accepts(oid column) {
    return column == types::text || column == types::varchar || column == types::bpchar || column == types::name ||
           column == types::unknown || column == types::json || column >= types::first_of_users;
  }

  static std::string decode(wire::reader& in, oid) {
    const std::string_view text = wire::as_text(in.take_rest());
    wire::expect_text(text);
    return std::string{text};
  }
};

template <>
struct codec<const char*> : codec<std::string_view> {};

template <std::size_t Size>
struct codec<char[Size]> : codec<std::string_view> {
  static void encode(wire::writer& out, const char* value) { codec<std::string_view>::encode(out, value); }
};

template <>
struct codec<std::span<const std::byte>> {
  static constexpr oid type = types::bytea;
  static constexpr oid array_type = 1001;

  static void encode(wire::writer& out, std::span<const std::byte> value) {
    wire::expect_size(value.size());
    out.put_bytes(value.data(), value.size());
  }
};

template <>
struct codec<std::vector<std::byte>> : codec<std::span<const std::byte>> {
  static bool accepts(oid column) { return column == type; }

  static std::vector<std::byte> decode(wire::reader& in, oid) {
    const auto bytes = in.take_rest();
    return {bytes.begin(), bytes.end()};
  }
};

/// NULL is `std::nullopt`. (Nothing of a NULL is on the wire: parameters and rows deal with it.)
template <class T>
struct codec<std::optional<T>> : codec<T> {};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Writes a field as parameters, array elements and COPY have it: four bytes of length, or -1 for NULL, then the value.
template <class T>
void encode_field(wire::writer& out, const T& value) {
  if constexpr (is_optional<T>) {
    if (value) {
      encode_field(out, *value);
    } else {
      out.put(std::uint32_t{0xffffffff});
    }
  } else {
    const std::size_t start = out.size();
    out.put(std::uint32_t{0});
    codec<T>::encode(out, value);
    out.patch(start, static_cast<std::uint32_t>(out.size() - start - 4));
  }
}

/// The value of a field whose bytes are known; `bytes` is empty and `is_null` set for NULL.
/// Throws codec_error for NULL where T is not optional, for a column of another type, and for malformed bytes.
template <class T>
T decode_field(std::span<const std::byte> bytes, bool is_null, oid type) {
  if (!codec<T>::accepts(type)) fail_wrong_type(type);
  if constexpr (is_optional<T>) {
    if (is_null) return std::nullopt;
    return decode_field<typename T::value_type>(bytes, false, type);
  } else {
    if (is_null) fail_null();
    wire::reader in{bytes};
    T value = codec<T>::decode(in, type);
    in.expect_end();
    return value;
  }
}

}  // namespace quern

#include <quern/array.hpp>
