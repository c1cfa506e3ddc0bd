#pragma once

#include <quern/codec.hpp>
#include <string>
#include <string_view>

namespace quern {

/// The text of a JSON value; the library neither parses nor formats it. The server refuses a text that is no JSON and
/// gives a jsonb back in its own spelling, so that `==`, which compares texts, may differ after a round trip.
struct json {
  std::string text = "null";

  friend auto operator<=>(const json&, const json&) = default;
};

template <>
struct codec<json> {
  static constexpr oid type = types::jsonb;
  static constexpr oid array_type = 3807;

  static bool accepts(oid column) { return column == type || column == types::json; }

  static void encode(wire::writer& out, const json& value);
  static json decode(wire::reader& in, oid column);
};

}  // namespace quern
