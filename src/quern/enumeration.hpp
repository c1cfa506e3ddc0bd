#pragma once

#include <array>
#include <cstddef>
#include <quern/codec.hpp>
#include <string_view>
#include <type_traits>

namespace quern {

/// What generated code says of an enum of the declaration, whose values count from 0 without gaps:
///   static constexpr std::string_view type = "shop.channel";                        // in SQL
///   static constexpr std::array<std::string_view, 3> labels{"email", "sms", "push"};  // by value
template <class Enum>
struct enumeration;

template <class T>
concept declared_enum = std::is_enum_v<T> && requires {
  enumeration<T>::type;
  enumeration<T>::labels;
};

[[noreturn]] void fail_unknown_value(std::string_view type, long long value);
[[noreturn]] void fail_unknown_label(std::string_view type, std::string_view label);
[[noreturn]] void fail_unresolved(std::string_view type);

/// The label of a value in SQL. Throws codec_error for a value that is not declared.
template <declared_enum Enum>
constexpr std::string_view label(Enum value) {
  const auto index = static_cast<std::size_t>(value);
  if (index >= enumeration<Enum>::labels.size())
    fail_unknown_value(enumeration<Enum>::type, static_cast<long long>(value));
  return enumeration<Enum>::labels[index];
}

/// The value that a label stands for. Throws codec_error for a label that is not declared.
template <declared_enum Enum>
constexpr Enum from_label(std::string_view text) {
  const auto& labels = enumeration<Enum>::labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == text) return static_cast<Enum>(i);
  }
  fail_unknown_label(enumeration<Enum>::type, text);
}

/// An enum travels as its label. Its type number is the database's own: a single value needs none, an array does
/// (enum_types, which the handshake of a contract fills).
template <declared_enum Enum>
struct codec<Enum> {
  static constexpr oid type = 0;
  static constexpr oid array_type = 0;

  static bool accepts(oid column) { return column >= types::first_of_users || column == types::text; }

  static void encode(wire::writer& out, Enum value) {
    const std::string_view text = label(value);
    out.put_bytes(text.data(), text.size());
  }

  static Enum decode(wire::reader& in, oid) { return from_label<Enum>(wire::as_text(in.take_rest())); }

  /// Throws codec_error when the connection has not resolved the type.
  static oid type_on(const wire::writer& out) {
    const oid number = out.types == nullptr ? 0 : out.types->find(enumeration<Enum>::type);
    if (number == 0) fail_unresolved(enumeration<Enum>::type);
    return number;
  }
};

}  // namespace quern
