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

render::generation generate(std::string_view declaration, std::string_view schema, const contract::lock& lock = {},
                            const render::migration_texts& history = {}) {
  const text::source source{"quern.toml",
                            fmt::format("[project]\nname = \"works\"\nschema = \"{}\"\n\n{}", schema, declaration)};
  const auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  auto made = render::generate(*read.declared, lock, templates(), render::parts::all, history);
  if (!made.diagnostics.empty()) throw std::runtime_error{text::spell(made.diagnostics, source)};
  return made;
}

}  // namespace

std::vector<std::vector<std::string>> releases_of(const std::vector<std::string>& declarations,
                                                  std::string_view schema) {
  std::vector<std::vector<std::string>> releases;
  contract::lock lock;
  render::migration_texts history;
  for (const auto& declaration : declarations) {
    const auto made = generate(declaration, schema, lock, history);
    auto& steps = releases.emplace_back();
    for (const auto& [path, text] : made.migrations) {
      for (auto& step : steps_of(path, text)) steps.push_back(std::move(step));
      history.emplace(path, text);
    }
    lock = contract::with_drafts_released(made.lock);
  }
  return releases;
}

std::string migrations_of(std::string_view declaration, std::string_view schema) {
  const auto made = generate(declaration, schema);
  std::string sql;
  for (const auto& migration : made.migrations) sql += sql_of(migration.path, migration.text);
  return sql;
}

}  // namespace test
