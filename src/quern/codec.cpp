#include "quern/codec.hpp"

#include <string>

#include "quern/error.hpp"

namespace quern {

void fail_wrong_type(oid type) {
  throw codec_error{"a column of the PostgreSQL type number " + std::to_string(type) + " cannot be read as this type"};
}

void fail_inexact_integer() {
  throw codec_error{"an integer from the server does not fit the type that it is read as"};
}

void fail_null() {
  throw codec_error{"NULL where the type has no room for it: read it as std::optional"};
}

namespace wire {

void put_array_head(writer& out, std::size_t count, bool has_nulls, oid element) {
  if (count > largest_array)
    throw codec_error{"an array of " + std::to_string(count) + " elements is too large for PostgreSQL"};
  out.put(std::uint32_t{count == 0 ? 0U : 1U});
  out.put(std::uint32_t{has_nulls ? 1U : 0U});
  out.put(element);
  if (count == 0) return;
  out.put(static_cast<std::uint32_t>(count));
  out.put(std::uint32_t{1});
}

array_head take_array_head(reader& in) {
  const auto dimensions = in.take<std::uint32_t>();
  in.take<std::uint32_t>();
  const oid element = in.take<oid>();
  if (dimensions == 0) return {0, element};
  if (dimensions != 1)
    throw codec_error{"an array of " + std::to_string(dimensions) + " dimensions cannot be read as a std::vector"};
  const std::size_t count = in.take<std::uint32_t>();
  in.take<std::uint32_t>();
  // Each element has at least its length: a count that the bytes cannot hold must not be reserved.
  if (count > in.left() / 4) throw codec_error{"malformed array from the server: it is shorter than its length says"};
  return {count, element};
}

}  // namespace wire
}  // namespace quern
