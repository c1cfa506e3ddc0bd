// quern work: a program of any language handles messages, one call each.

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <quern/connection.hpp>
#include <string>
#include <utility>

#include "cli/command.hpp"
#include "cli/job_source.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"
#include "cli/work_loop.hpp"

namespace cli {
namespace {

struct work_arguments {
  operated_place place{};
  std::string target{};
  std::string command{};
  std::string timeout{};
  std::string stop_timeout{};
  std::string grace = "5s";
  std::string lease = "30s";
  int concurrency = 1;
  std::optional<int> contract{};
  bool is_drain = false;
  bool is_polling = false;
  bool with_results = false;
};

std::optional<std::chrono::microseconds> optional_length(std::string_view option, const std::string& written) {
  if (written.empty()) return std::nullopt;
  return std::chrono::microseconds{parse_length(option, written)};
}

// A shell that is given nothing ends well, and every message would be taken for handled.
void expect_command(const std::string& command) {
  if (command.find_first_not_of(" \t\r\n") == std::string::npos)
    throw failure{exit_code::usage, "--exec names no command"};
}

work_options options_of(const work_arguments& given) {
  return {.command = given.command,
          .concurrency = given.concurrency,
          .timeout = optional_length("--timeout", given.timeout),
          .stop_timeout = optional_length("--stop-timeout", given.stop_timeout),
          .grace = std::chrono::microseconds{parse_length("--grace", given.grace)},
          .lease = std::chrono::microseconds{parse_length("--lease", given.lease)},
          .is_drain = given.is_drain,
          .use_notifications = !given.is_polling,
          .with_results = given.with_results};
}

std::string spell(const work_done& done) {
  std::string words = fmt::format("{} handled", done.handled);
  if (done.failed > 0) words += fmt::format(", {} failed", done.failed);
  if (done.released > 0) words += fmt::format(", {} given back", done.released);
  if (done.lost > 0) words += fmt::format(", {} lost to others", done.lost);
  return words;
}

// Where the work is; the connection that has found that out is gone: a worker is to have one alone.
struct workplace {
  std::string url;
  std::string schema;
  operated_target target;
};

workplace find_work(const work_arguments& given) {
  operated_schema in = open_schema(given.place, "quern work");
  operated_target target = find_target(in, given.target);
  return {in.url, in.name, std::move(target)};
}

exit_code run(const work_arguments& given) {
  expect_command(given.command);
  const work_options options = options_of(given);
  const workplace at = find_work(given);
  const auto make_source = [&] {
    operated_schema in = open_schema({at.url, at.schema}, "quern work");
    return job_source{in, find_target(in, given.target), given.contract, options.lease, given.with_results};
  };
  const auto connect = [&] {
    return quern::connection{
        at.url, {.use_prepared_statements = !given.is_polling, .application_name = "quern work " + given.target}};
  };
  work_loop loop{options, {at.schema, at.target.queue.name, at.target.consumer}, connect, make_source};
  tell(spell(loop.run()));
  return exit_code::done;
}

}  // namespace

void add_work(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<work_arguments>();
  const command_line command = program.add_command(
      "work",
      "Run a command for each message: its payload as JSON on standard input, QUERN_QUEUE, QUERN_MESSAGE_ID and "
      "QUERN_ATTEMPT in the environment. Exit status 0 ends the message, another one is a failed attempt with the end "
      "of "
      "standard error as its words. SIGTERM and SIGINT let running handlers finish");
  command.add_option("queue", given->target, "A queue, or STREAM/CONSUMER of a cooperative consumer").required();
  command.add_option("--exec", given->command, "The command; /bin/sh runs it").required();
  command.add_option("--concurrency", given->concurrency, "How many at a time").between(1, 1000).shows_default();
  command
      .add_option("--timeout", given->timeout,
                  "A handler that runs for longer gets SIGTERM, then SIGKILL, and has failed (default: none)")
      .not_empty();
  command.add_option("--grace", given->grace, "How long after SIGTERM SIGKILL comes").shows_default();
  command
      .add_option("--lease", given->lease,
                  "How long messages stay claimed if this program dies; extended while it lives")
      .shows_default();
  command
      .add_option("--stop-timeout", given->stop_timeout,
                  "After a request to stop, how long handlers may run on; then, or at a second signal, they are "
                  "ended and their messages given back (default: no limit)")
      .not_empty();
  command.add_option("--contract", given->contract, "Which one payloads have (default: the oldest that is live)");
  command.add_flag("--drain", given->is_drain, "Process what is there, and end");
  command.add_flag("--result", given->with_results,
                   "What the command prints, JSON, becomes the result of its message, of a queue with keep_done");
  command.add_flag("--poll", given->is_polling, "Behind a pooler that hands each transaction to another session");
  add_operated(command, given->place);
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
