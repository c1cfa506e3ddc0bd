#pragma once

#include <cstddef>
#include <cstdint>
#include <quern/codec.hpp>
#include <span>
#include <vector>

namespace quern {

namespace wire {

/// PostgreSQL refuses an array of more elements (MaxArraySize).
inline constexpr std::size_t largest_array = 134'217'727;

/// The head of a binary array: dimensions, whether NULLs may follow, element type, and for the one dimension its length
/// and lower bound. (array_send in PostgreSQL's arrayfuncs.c)
void put_array_head(writer& out, std::size_t count, bool has_nulls, oid element);

struct array_head {
  std::size_t count;
  oid element;
};

/// Throws codec_error for more than one dimension and for a length that the bytes cannot hold.
array_head take_array_head(reader& in);

}  // namespace wire

/// `T[]` as std::vector<T>, `T?[]` as std::vector<std::optional<T>>; one dimension.
/// A NULL element in a std::vector<T> is a codec_error.
template <class T>

requires(!std::same_as<T, std::byte>) struct codec<std::vector<T>> {
  static constexpr oid type = codec<T>::array_type;
  static constexpr oid array_type = 0;

  /// The head of the value names the type of its elements, so that arrays of enums need no list here.
  static bool accepts(oid column) { return type == 0 || column == type || column >= types::first_of_users; }

  static void encode(wire::writer& out, const std::vector<T>& values) {
    const std::size_t start = out.size();
    wire::put_array_head(out, values.size(), has_nulls(values), element_type(out));
    for (std::size_t i = 0; i < values.size(); ++i) encode_field<T>(out, values[i]);
    wire::expect_size(out.size() - start);
  }

  static std::vector<T> decode(wire::reader& in, oid) {
    const auto head = wire::take_array_head(in);
    std::vector<T> values;
    values.reserve(head.count);
    for (std::size_t i = 0; i < head.count; ++i) values.push_back(decode_element(in, head.element));
    return values;
  }

 private:
  static oid element_type(const wire::writer& out) {
    if constexpr (requires { codec<T>::type_on(out); }) {
      return codec<T>::type_on(out);
    } else {
      return codec<T>::type;
    }
  }

  static bool has_nulls(const std::vector<T>& values) {
    if constexpr (is_optional<T>) {
      for (const auto& value : values) {
        if (!value) return true;
      }
    }
    return false;
  }

  static T decode_element(wire::reader& in, oid element) {
    const auto length = static_cast<std::int32_t>(in.take<std::uint32_t>());
    if (length == -1) return decode_field<T>({}, true, element);
    return decode_field<T>(in.take_bytes(static_cast<std::size_t>(static_cast<std::uint32_t>(length))), false, element);
  }
};

}  // namespace quern
