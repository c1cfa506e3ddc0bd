#include "quern/json.hpp"

#include "quern/error.hpp"

namespace quern {
namespace {

// The only version of jsonb's binary format so far (jsonb_send in PostgreSQL's jsonb.c).
constexpr std::uint8_t jsonb_version = 1;

}  // namespace

void codec<json>::encode(wire::writer& out, const json& value) {
  wire::expect_size(value.text.size());
  wire::expect_text(value.text);
  out.put(jsonb_version);
  out.put_bytes(value.text.data(), value.text.size());
}

json codec<json>::decode(wire::reader& in, oid column) {
  if (column == types::jsonb && in.take<std::uint8_t>() != jsonb_version)
    throw codec_error{"malformed jsonb from the server: an unknown version"};
  const std::string_view text = wire::as_text(in.take_rest());
  wire::expect_text(text);
  return {std::string{text}};
}

}  // namespace quern
