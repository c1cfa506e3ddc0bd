#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>

#include "cli/exit_code.hpp"

namespace cli {

/// Ends a command early: main prints the words behind `quern: error: ` (nothing when there are none) and ends with the
/// code.
struct failure {
  exit_code code;
  std::string words{};
};

/// Makes `run`, a function without parameters that returns an exit_code, what the command does; `result` outlives the
/// parsing and gets what it returned.
template <class Run>
void on_call(CLI::App& command, exit_code& result, Run run) {
  command.callback([&result, run = std::move(run)] { result = run(); });
}

// One function a command, in the order of --help; main.cpp lists them. Each adds its sub-command to the program and
// stores in `result` how the call ended.
void add_generate(CLI::App& program, exit_code& result);
void add_release(CLI::App& program, exit_code& result);
void add_migrate(CLI::App& program, exit_code& result);
void add_status(CLI::App& program, exit_code& result);
void add_rollback(CLI::App& program, exit_code& result);
void add_baseline(CLI::App& program, exit_code& result);
void add_contracts(CLI::App& program, exit_code& result);
void add_retire(CLI::App& program, exit_code& result);
void add_drift(CLI::App& program, exit_code& result);
void add_adopt(CLI::App& program, exit_code& result);
void add_rebase(CLI::App& program, exit_code& result);
void add_check(CLI::App& program, exit_code& result);
void add_explain(CLI::App& program, exit_code& result);
void add_stats(CLI::App& program, exit_code& result);
void add_peek(CLI::App& program, exit_code& result);
void add_redrive(CLI::App& program, exit_code& result);
void add_cancel(CLI::App& program, exit_code& result);
void add_purge(CLI::App& program, exit_code& result);
void add_pause(CLI::App& program, exit_code& result);
void add_resume(CLI::App& program, exit_code& result);
void add_enqueue(CLI::App& program, exit_code& result);
void add_publish(CLI::App& program, exit_code& result);
void add_work(CLI::App& program, exit_code& result);
void add_schedule(CLI::App& program, exit_code& result);
void add_sql(CLI::App& program, exit_code& result);
void add_embed(CLI::App& program, exit_code& result);
void add_schema(CLI::App& program, exit_code& result);
void add_dev(CLI::App& program, exit_code& result);

}  // namespace cli
