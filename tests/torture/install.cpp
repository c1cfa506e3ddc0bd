#include "install.hpp"

#include <fstream>
#include <iterator>
#include <quern/connection.hpp>
#include <stdexcept>

#include "contract/lock.hpp"
#include "declaration/read.hpp"
#include "guards.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "support/steps.hpp"
#include "text/diagnostic.hpp"

namespace torture {
namespace {

// Without a key: that an effect stands there twice is for the checker to find.
constexpr std::string_view effects = R"(
  create schema torture;
  create table public.effect (stream text, consumer text, event_offset bigint, tx bigint, place integer);
  create table public.handled (
    handled_id bigint generated always as identity, queue text, message_id bigint, attempt integer, tx bigint,
    place integer, account bigint, how text
  );
)";

text::source declaration_text() {
  const std::filesystem::path file = TORTURE_DIR "/quern.toml";
  std::ifstream in{file};
  return text::source{file.string(), std::string{std::istreambuf_iterator<char>{in}, {}}};
}

}  // namespace

void install(const std::string& url, const std::optional<std::filesystem::path>& templates,
             const std::vector<std::string>& without) {
  auto sources = render::load_templates(templates);
  remove_guards(sources, without);
  const auto checked = render::check_templates(sources);
  if (!checked.problems.empty())
    throw std::runtime_error{text::spell(checked.problems.front().diagnostics, checked.problems.front().source)};
  const text::source source = declaration_text();
  const auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  const auto made = render::generate(*read.declared, contract::lock{}, checked, render::parts::all);
  if (!made.diagnostics.empty()) throw std::runtime_error{text::spell(made.diagnostics, source)};
  quern::connection db{url};
  db.run_script(effects);
  for (const auto& migration : made.migrations) db.run_script(test::sql_of(migration.path, migration.text));
}

}  // namespace torture
