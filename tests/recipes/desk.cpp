#include "recipes/desk.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <stdexcept>
#include <utility>

#include "migrate/error.hpp"
#include "quern/error.hpp"

namespace test {
namespace {

recipe recipe_called(std::string_view name) {
  for (auto& each : recipes()) {
    if (each.name == name) return each;
  }
  throw std::runtime_error{fmt::format("there is no recipe {}", name)};
}

}  // namespace

desk::desk(std::string_view recipe, std::string line) : here_{recipe_called(recipe)}, line_{std::move(line)} {
  here_.migrate_to_released();
}

std::vector<std::string> desk::all(const std::string& sql) const {
  std::vector<std::string> result;
  auto db = here_.connect();
  const auto results = db.run_script(sql);
  const auto& last = results.back();
  for (std::size_t i = 0; i < last.size(); ++i) result.emplace_back(PQgetvalue(last.native(), static_cast<int>(i), 0));
  return result;
}

std::string desk::one(const std::string& sql) const {
  const auto rows = all(sql);
  return rows.size() == 1 ? rows.front() : fmt::format("{} rows", rows.size());
}

std::string desk::refusal(const std::string& sql) const {
  try {
    all(sql);
    return {};
  } catch (const quern::database_error& refused) {
    return fmt::format("{}: {}", refused.sqlstate(), refused.message());
  }
}

std::string desk::handshake(std::string_view queue, int version) const {
  const auto* line = contract::find_line(here_.played().wanted.lock, line_);
  const auto& known = line->state.contracts[static_cast<std::size_t>(version - 1)];
  return refusal(
      fmt::format("select shop.quern_handshake('{}', {}, '{}')", queue, version, contract::fingerprint(known)));
}

std::string desk::refused_migration() const {
  try {
    here_.migrate_to_all();
    return {};
  } catch (const migrate::error& refused) {
    return refused.server_says();
  }
}

}  // namespace test
