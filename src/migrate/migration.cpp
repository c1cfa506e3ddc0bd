#include "migrate/migration.hpp"

#include <fmt/format.h>

namespace migrate {

std::string title(const migration& one) {
  return fmt::format("{}/{:04}_{}", one.line, one.number, one.name);
}

std::string file_name(const migration& one) {
  return title(one) + ".sql";
}

const std::filesystem::path& file_of(const migration& one, const step& part) {
  return part.from_hook ? part.from_hook->file : one.file;
}

const std::string& checksum_of(const migration& one, const step& part) {
  return part.from_hook ? part.from_hook->checksum : one.checksum;
}

}  // namespace migrate
