// quern status: what a database has and lacks of the migrations.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/terminal.hpp"
#include "migrate/error.hpp"
#include "migrate/runner.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

struct status_arguments {
  std::optional<std::string> database{};
  std::filesystem::path migrations = "migrations";
  bool is_json = false;
  bool is_check = false;
};

// One line of migrations, as it is shown.
struct line_state {
  std::vector<std::string> pending{};
  std::size_t applied = 0;
  std::string last_applied{};
  std::string last_at{};
};

exit_code verdict(const migrate::comparison& compared) {
  if (!compared.mismatches.empty() || !compared.stale_drafts.empty()) return exit_code::history_mismatch;
  if (!compared.unknown.empty()) return exit_code::database_ahead;
  return compared.pending.empty() ? exit_code::done : exit_code::input_wrong;
}

std::string spell(const migrate::pending_migration& one) {
  std::string title = migrate::title(*one.what);
  if (one.first_step == 0) return title;
  return fmt::format("{} (from step {} of {} on)", title, one.first_step + 1, one.what->steps.size());
}

std::map<std::string, line_state> by_line(const migrate::survey& found) {
  std::map<std::string, line_state> lines;
  for (const migrate::applied_migration& one : migrate::by_migration(found.applied)) {
    line_state& line = lines[one.first().line];
    if (!one.is_complete()) continue;
    ++line.applied;
    line.last_applied = fmt::format("{:04}_{}", one.first().number, one.first().name);
    line.last_at = one.steps.back().applied_at;
  }
  for (const migrate::pending_migration& one : found.compared.pending)
    lines[one.what->line].pending.push_back(spell(one));
  return lines;
}

void say_line(const std::string& name, const line_state& line) {
  const std::string last = line.applied == 0 ? "" : fmt::format(", the last {} at {}", line.last_applied, line.last_at);
  say(fmt::format("{}: {} applied{}", bold(name, stream::output), line.applied, dim(last, stream::output)));
  for (const std::string& one : line.pending) say(fmt::format("  {} {}", yellow("pending", stream::output), one));
}

void say_survey(const migrate::survey& found) {
  for (const auto& [name, line] : by_line(found)) say_line(name, line);
  for (const std::string& words : found.compared.mismatches)
    say(fmt::format("{} {}", red("mismatch", stream::output), words));
  for (const migrate::stale_draft& one : found.compared.stale_drafts)
    say(fmt::format("{} {}", red("draft", stream::output), one.words));
  for (const std::string& name : found.compared.unknown)
    say(fmt::format("{} {}: the database has it, this directory does not", red("ahead", stream::output), name));
  if (verdict(found.compared) == exit_code::done) say(green("the database is up to date", stream::output));
}

ordered_json as_json(const migrate::applied_step& row) {
  return {{"line", row.line},
          {"number", row.number},
          {"name", row.name},
          {"step", row.step},
          {"step_name", row.step_name},
          {"step_count", row.step_count},
          {"checksum", row.checksum},
          {"applied_at", row.applied_at},
          {"applied_by", row.applied_by},
          {"duration_ms", static_cast<double>(row.duration) / 1000},
          {"is_hook", row.is_hook},
          {"is_draft", row.is_draft},
          {"is_finished", row.is_finished},
          {"is_reversible", row.is_reversible}};
}

ordered_json as_json(const migrate::survey& found) {
  constexpr const char* words[] = {"up_to_date", "pending", "history_mismatch", "database_ahead"};
  const exit_code code = verdict(found.compared);
  const std::size_t word = code == exit_code::done               ? 0
                           : code == exit_code::input_wrong      ? 1
                           : code == exit_code::history_mismatch ? 2
                                                                 : 3;
  ordered_json applied = ordered_json::array();
  for (const migrate::applied_step& row : found.applied) applied.push_back(as_json(row));
  ordered_json pending = ordered_json::array();
  for (const migrate::pending_migration& one : found.compared.pending)
    pending.push_back({{"line", one.what->line},
                       {"number", one.what->number},
                       {"name", one.what->name},
                       {"next_step", one.first_step + 1},
                       {"step_count", one.what->steps.size()}});
  ordered_json stale = ordered_json::array();
  for (const migrate::stale_draft& one : found.compared.stale_drafts)
    stale.push_back({{"line", one.line}, {"number", one.number}, {"words", one.words}});
  return {{"state", words[word]},
          {"applied", std::move(applied)},
          {"pending", std::move(pending)},
          {"mismatches", found.compared.mismatches},
          {"stale_drafts", std::move(stale)},
          {"unknown", found.compared.unknown}};
}

exit_code run(const status_arguments& given) try {
  const checked_migrations migrations = read_migrations(given.migrations);
  const database where = choose_database(given.database);
  const migrate::survey found = migrate::look(migrations.files, where.url, migrations.schema, migrations.drafts);
  if (given.is_json)
    say(as_json(found).dump(2));
  else
    say_survey(found);
  return given.is_check ? verdict(found.compared) : exit_code::done;

} catch (const migrate::error& refused) {
  std::string words = refused.what();
  if (refused.why() == migrate::reason::not_permitted) words += "\n  hint: ask as the role that migrates";
  throw failure{code_of(refused.why()), words};
}

}  // namespace

void add_status(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<status_arguments>();
  const command_line command = program.add_command("status", "Say what a database has and lacks of the migrations");
  command.add_option("--database", given->database, database_help);
  command.add_option("--migrations", given->migrations, "Their directory").shows_default();
  command.add_flag("--json", given->is_json, "As JSON");
  command.add_flag(
      "--check", given->is_check,
      "Exit code 1 when migrations are pending, 6 when history does not match, 7 when the database is ahead");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
