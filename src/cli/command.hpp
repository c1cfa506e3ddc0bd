#pragma once

#include <string>
#include <utility>

#include "cli/command_line.hpp"
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
void on_call(const command_line& command, exit_code& result, Run run) {
  command.calls([&result, run = std::move(run)] { result = run(); });
}

// One function a command, in the order of --help; main.cpp lists them. Each adds its sub-command to the program and
// stores in `result` how the call ended.
void add_generate(const command_line& program, exit_code& result);
void add_release(const command_line& program, exit_code& result);
void add_migrate(const command_line& program, exit_code& result);
void add_status(const command_line& program, exit_code& result);
void add_rollback(const command_line& program, exit_code& result);
void add_baseline(const command_line& program, exit_code& result);
void add_contracts(const command_line& program, exit_code& result);
void add_retire(const command_line& program, exit_code& result);
void add_drift(const command_line& program, exit_code& result);
void add_adopt(const command_line& program, exit_code& result);
void add_rebase(const command_line& program, exit_code& result);
void add_check(const command_line& program, exit_code& result);
void add_explain(const command_line& program, exit_code& result);
void add_stats(const command_line& program, exit_code& result);
void add_peek(const command_line& program, exit_code& result);
void add_redrive(const command_line& program, exit_code& result);
void add_cancel(const command_line& program, exit_code& result);
void add_purge(const command_line& program, exit_code& result);
void add_pause(const command_line& program, exit_code& result);
void add_resume(const command_line& program, exit_code& result);
void add_enqueue(const command_line& program, exit_code& result);
void add_publish(const command_line& program, exit_code& result);
void add_work(const command_line& program, exit_code& result);
void add_schedule(const command_line& program, exit_code& result);
void add_sql(const command_line& program, exit_code& result);
void add_embed(const command_line& program, exit_code& result);
void add_schema(const command_line& program, exit_code& result);
void add_dev(const command_line& program, exit_code& result);

}  // namespace cli
