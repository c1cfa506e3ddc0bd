// quern purge: deletes dead letters.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <quern/connection.hpp>
#include <quern/time.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct purge_arguments {
  operated_place place{};
  std::string target{};
  std::string older_than{};
  bool is_dead = false;
  bool is_yes = false;
};

std::string question(const operated_target& target, const purge_arguments& given) {
  const std::string age = given.older_than.empty() ? "" : fmt::format(" that died more than {} ago", given.older_than);
  return fmt::format("Delete the dead letters of {}{} for good?", target.title(), age);
}

exit_code run(const purge_arguments& given) {
  if (!given.is_dead) throw failure{exit_code::usage, "say what is to be deleted: --dead"};
  const quern::interval age{
      std::chrono::microseconds{given.older_than.empty() ? 0 : parse_length("--older-than", given.older_than)}};
  operated_schema in = open_schema(given.place, "quern purge");
  const operated_target target = find_target(in, given.target);
  expect_consumer(target);
  expect_dead_letters(in, target.queue, "purge");
  if (!is_confirmed(given.is_yes, question(target, given))) {
    say("nothing was deleted");
    return exit_code::done;
  }
  const std::string function = target.queue.function("purge");
  const auto deleted = target.consumer.empty()
                           ? in.db.execute(fmt::format("select {}($1)", function), age)
                           : in.db.execute(fmt::format("select {}($1, $2)", function), target.consumer, age);
  const auto count = deleted.value<std::int64_t>();
  say(fmt::format("deleted {} dead {} of {}", count, count == 1 ? "letter" : "letters", target.title()));
  return exit_code::done;
}

}  // namespace

void add_purge(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<purge_arguments>();
  CLI::App* const command = program.add_subcommand("purge", "Delete dead letters");
  command->add_option("queue", given->target, "A queue, or STREAM/CONSUMER")->required();
  add_operated(*command, given->place);
  command->add_flag("--dead", given->is_dead, "The dead letters");
  command->add_option("--older-than", given->older_than, "Only those that died longer ago: 7d");
  command->add_flag("--yes", given->is_yes, "Do not ask");
  on_operation(*command, result, [given] { return run(*given); });
}

}  // namespace cli
