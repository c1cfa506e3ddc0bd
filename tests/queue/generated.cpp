#include "queue/generated.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "contract/lock.hpp"
#include "declaration/read.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "support/steps.hpp"
#include "text/diagnostic.hpp"

namespace test {
namespace {

const render::template_set& templates() {
  static const render::template_set checked = [] {
    std::optional<std::filesystem::path> directory;
    if (const char* const given = std::getenv("QUERN_TEST_TEMPLATES"); given != nullptr && *given != '\0')
      directory = given;
    return render::check_templates(render::load_templates(directory));
  }();
  if (!checked.problems.empty())
    throw std::runtime_error{text::spell(checked.problems.front().diagnostics, checked.problems.front().source)};
  return checked;
}

}  // namespace

std::string migrations_of(std::string_view declaration, std::string_view schema) {
  const text::source source{"quern.toml",
                            fmt::format("[project]\nname = \"works\"\nschema = \"{}\"\n\n{}", schema, declaration)};
  const auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  const auto made = render::generate(*read.declared, contract::lock{}, templates(), render::parts::all);
  if (!made.diagnostics.empty()) throw std::runtime_error{text::spell(made.diagnostics, source)};
  std::string sql;
  for (const auto& migration : made.migrations) sql += sql_of(migration.path, migration.text);
  return sql;
}

}  // namespace test
