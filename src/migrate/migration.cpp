#include "migrate/migration.hpp"

#include <fmt/format.h>

namespace migrate {

std::string title(const migration& one) {
  return fmt::format("{}/{:04}_{}", one.line, one.number, one.name);
}

std::string file_name(const migration& one) {
  return title(one) + ".sql";
}

}  // namespace migrate
