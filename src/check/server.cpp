#include "check/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "check/server_run.hpp"
#include "migrate/roles.hpp"
#include "render/generate.hpp"

namespace check {
namespace {

/// What is wrong with the files is reported already.
bool is_usable(const project& of, const migrate::read_directory_result& read) {
  return of.declared && of.lock && !of.lock->lines.empty() && read.problems.empty() &&
         migrate::check_numbers(read.value).empty();
}

migrate::draft_names drafts_of(const contract::lock& lock) {
  migrate::draft_names drafts;
  for (const render::output_file& one : render::drafts_of(lock)) drafts.insert(one.path);
  return drafts;
}

/// Roles belong to the whole server: those that the migrations name and it lacks are there only for the checks.
class borrowed_roles {
 public:
  explicit borrowed_roles(const server_run& run) : run_{run}, missing_{missing()} {}

  ~borrowed_roles() {
    if (missing_.empty()) return;
    try {
      const auto at = run_.database();
      quern::connection db{at->url(), {.application_name = "quern check"}};
      for (const std::string& role : missing_) drop(db, role);
    } catch (const std::exception& failed) {
      run_.how.noted(fmt::format("roles that were made for the checks are left over: {}", failed.what()));
    }
  }

  borrowed_roles(const borrowed_roles&) = delete;
  borrowed_roles& operator=(const borrowed_roles&) = delete;

 private:
  std::vector<std::string> missing() const {
    std::vector<std::string> wanted;
    for (const migrate::migration& one : run_.files.migrations)
      wanted.insert(wanted.end(), one.roles.begin(), one.roles.end());
    const auto at = run_.database();
    quern::connection db{at->url(), {.application_name = "quern check"}};
    return migrate::missing_roles(db, wanted);
  }

  static void drop(quern::connection& db, const std::string& role) {
    try {
      db.execute(fmt::format("drop role if exists {}", quern::quoted_identifier(role)));
    } catch (const quern::database_error&) {
      // Somebody else has found a use for it meanwhile.
    }
  }

  const server_run& run_;
  std::vector<std::string> missing_;
};

bool is_wanted(const server_options& how, std::string_view check) {
  return how.only.empty() || std::ranges::find(how.only, check) != how.only.end();
}

void check_the_rest(const server_run& run) {
  const auto wanted = [&](std::string_view check) { return is_wanted(run.how, check); };
  if (wanted(name::server_upgrade)) check_definitions(run);
  if (wanted(name::server_upgrade)) check_upgrade(run);
  if (wanted(name::server_rollback)) check_rollback(run);
  if (wanted(name::server_kill)) check_kills(run);
  if (wanted(name::server_runners)) check_runners(run);
  if (wanted(name::server_contracts)) check_matrix(run);
}

}  // namespace

void check_on_server(const places& where, const std::optional<base>& against, const server_options& how,
                     report& found) {
  report known;  // what is wrong without a server is told by check_project()
  project of{.where = where};
  read_declaration(of, known);
  read_lock(of, known);
  if (!of.lock || of.lock->lines.empty()) return how.noted("there is no quern.lock to work with: no server was asked");
  const migrate::read_directory_result read = migrate::read_directory(where.migrations);
  if (!is_usable(of, read)) return how.noted("the files cannot be used as they are: no server was asked");
  server_run run{of, against, how, found};
  run.files = read.value;
  run.drafts = drafts_of(*of.lock);
  for (const auto check : {name::server_install, name::server_locks, name::server_grants, name::server_upgrade,
                           name::server_rollback, name::server_kill, name::server_runners, name::server_contracts})
    if (is_wanted(how, check)) found.checks.push_back(check);
  const borrowed_roles roles{run};
  if (check_install(run)) check_the_rest(run);
  sort(found);
}

}  // namespace check
