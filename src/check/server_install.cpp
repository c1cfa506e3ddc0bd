// All migrations on an empty database: that they apply, that their locks are those that they declare, who may do what
// afterwards, and whether it is what the definitions in generated/sql say.

#include <fmt/format.h>

#include <algorithm>

#include "check/server_run.hpp"
#include "migrate/drift_expected.hpp"
#include "render/file_system.hpp"

namespace check {
namespace {

/// What hooks add beside quern's own objects is theirs.
bool is_of_hooks(const migrate::difference& one) {
  return one.kind == migrate::difference_kind::unexpected && !one.object.starts_with("column ");
}

bool apply_definition(const server_run& run, quern::connection& db, const std::string& name) {
  const auto file = run.of.where.generated / "sql" / (name + ".sql");
  const auto text = render::file_system::read(file);
  if (!text) return false;  // is reported: generated_missing
  try {
    db.run_script(*text);
    return true;
  } catch (const quern::database_error& refused) {
    run.found.add(
        name::server_upgrade, file.string(),
        problem("server_definition_fails", fmt::format("the definition cannot be executed: {}", refused.what()),
                "generate it anew; if that does not help, this is a defect of quern or of your templates"));
    return false;
  }
}

bool apply_definitions(const server_run& run, const scratch_place& at) {
  quern::connection db{at.url(), {.application_name = "quern check"}};
  db.run_script(fmt::format("create schema {}", quern::quoted_identifier(run.schema())));
  if (!apply_definition(run, db, std::string{contract::core_line})) return false;
  for (const auto& queue : run.of.declared->queues)
    if (!apply_definition(run, db, queue.name)) return false;
  return true;
}

}  // namespace

bool check_install(server_run& run) {
  run.how.progress("installing into an empty database");
  const auto at = run.database();
  auto how = run.request(*at);
  std::size_t done = 0;
  how.observed = [&](const auto& one, const auto& part, const auto& locks) { check_locks(run, *at, one, part, locks); };
  how.applied = [&](const auto&, const auto&, auto) { ++done; };
  try {
    run.installed = migrate::catalog_after(run.files, how);
  } catch (const migrate::error& failed) {
    if (!is_of_migrations(failed)) throw;
    const last_step last = step_after(run.files, done);
    run.add(name::server_install, "server_install_fails", *last.one, last.part,
            fmt::format("does not apply to an empty database: {}", first_words(failed)),
            "try it yourself: `quern dev`, then `quern migrate`");
    return false;
  }
  check_grants(run, *at);
  return true;
}

void check_definitions(const server_run& run) {
  run.how.progress("comparing with the definitions in generated/sql");
  const auto at = run.database();
  if (!apply_definitions(run, *at)) return;
  const bool has_hooks = std::ranges::any_of(run.files.migrations, [](const auto& one) {
    return std::ranges::any_of(one.steps, [](const auto& part) { return part.from_hook.has_value(); });
  });
  for (const auto& one : differences(run.catalog(*at), run.installed)) {
    // Rights are told by check_grants().
    if (one.property.starts_with("grant ") || (has_hooks && is_of_hooks(one))) continue;
    run.add_at_object(name::server_upgrade, "server_differs_from_definition", one.object,
                      fmt::format("what the migrations make is not what generated/sql says: {}", one.words),
                      "hooks may add objects of their own; quern's tables and functions have to stay as they are");
  }
}

}  // namespace check
