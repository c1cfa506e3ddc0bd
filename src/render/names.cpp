#include "render/names.hpp"

#include <fmt/format.h>

#include "contract/sha256.hpp"
#include "render/sql.hpp"

namespace render::names {

std::string prefix(std::string_view schema, std::string_view queue) {
  // What follows makes it no reserved word, so that only the schema may need quotes.
  return fmt::format("{}.{}", sql::identifier(schema), queue);
}

std::string door(std::string_view schema, std::string_view queue) {
  return fmt::format("{}.{}", sql::identifier(schema), sql::identifier(queue));
}

std::string index(std::string_view schema, std::string_view name) {
  return fmt::format("{}.{}", sql::identifier(schema), sql::identifier(name));
}

std::string enumeration(std::string_view schema, std::string_view name) {
  return fmt::format("{}.{}", sql::identifier(schema), sql::identifier(name));
}

std::string channel(std::string_view schema, std::string_view queue) {
  return fmt::format("{}.{}", schema, queue);
}

std::string done_channel(std::string_view schema, std::string_view queue) {
  auto name = channel(schema, queue) + ".done";
  // Where identifiers end.
  if (name.size() <= 63) return name;
  return fmt::format("quern.{:016x}.done", static_cast<std::uint64_t>(advisory_key(schema, queue)));
}

std::int64_t advisory_key(std::string_view schema, std::string_view queue) {
  const auto digest = contract::sha256_bytes(fmt::format("quern/queue/{}/{}", schema, queue));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8U | digest[i];
  return static_cast<std::int64_t>(key);
}

}  // namespace render::names
