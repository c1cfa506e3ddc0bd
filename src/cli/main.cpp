// The program: one file a command, collected here.

#include <fmt/format.h>

#include <exception>
#include <quern/error.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/operated.hpp"
#include "cli/standard_files.hpp"
#include "cli/terminal.hpp"
#include "cluster/error.hpp"

namespace {

std::string exit_code_table() {
  std::string table = "Exit codes:\n";
  for (const auto& [code, meaning] : cli::exit_code_meanings)
    table += fmt::format("  {:>2}  {}\n", static_cast<int>(code), meaning);
  return table;
}

void add_commands(const cli::command_line& program, cli::exit_code& result) {
  for (const auto add :
       {cli::add_generate,  cli::add_release, cli::add_rebase,   cli::add_check,    cli::add_explain, cli::add_schema,
        cli::add_migrate,   cli::add_status,  cli::add_rollback, cli::add_baseline, cli::add_drift,   cli::add_adopt,
        cli::add_contracts, cli::add_retire,  cli::add_stats,    cli::add_peek,     cli::add_redrive, cli::add_cancel,
        cli::add_purge,     cli::add_pause,   cli::add_resume,   cli::add_enqueue,  cli::add_publish, cli::add_work,
        cli::add_schedule,  cli::add_sql,     cli::add_embed,    cli::add_dev})
    add(program, result);
}

cli::exit_code parse_and_run(int count, char** arguments) {
  const cli::program all{"quern", QUERN_VERSION, "Typed queues in PostgreSQL from one declaration", exit_code_table()};
  cli::exit_code result = cli::exit_code::done;
  add_commands(all.line(), result);
  return all.run(count, arguments) ? result : cli::exit_code::usage;
}

// A failure that no command has found better words for.
cli::exit_code run(int count, char** arguments) try {
  return parse_and_run(count, arguments);

} catch (const cli::failure& refused) {
  if (!refused.words.empty()) cli::complain(refused.words);
  return refused.code;

} catch (const cluster::error& refused) {
  cli::complain(refused.what());
  return cli::exit_code::unreachable;

} catch (const quern::error& refused) {
  cli::complain(refused.what());
  if (cli::is_not_permitted(refused)) return cli::exit_code::not_permitted;
  return refused.connection_lost() ? cli::exit_code::unreachable : cli::exit_code::migration_failed;

} catch (const std::exception& defect) {
  cli::complain(fmt::format("this should not happen, please report it: {}", defect.what()));
  return cli::exit_code::internal_error;
}

}  // namespace

int main(int count, char** arguments) {
  cli::occupy_standard_files();
  return static_cast<int>(run(count, arguments));
}
