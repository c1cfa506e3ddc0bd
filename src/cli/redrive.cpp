// quern redrive: dead letters get all their attempts again.

#include <fmt/format.h>

#include <memory>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct redrive_arguments {
  operated_place place{};
  std::string target{};
  std::vector<std::string> ids{};
  bool is_all = false;
};

// Each in a transaction of its own, so that nobody waits for long.
constexpr int at_once = 1000;

/// The function of a queue, or of a stream with its consumer as the first argument.
template <class Value, class Argument>
Value call(operated_schema& in, const operated_target& target, std::string_view verb, const Argument& argument) {
  const std::string function = target.queue.function(verb);
  if (target.consumer.empty())
    return in.db.execute(fmt::format("select {}($1)", function), argument).template value<Value>();
  return in.db.execute(fmt::format("select {}($1, $2)", function), target.consumer, argument).template value<Value>();
}

std::string spell(std::int64_t count) {
  return fmt::format("{} dead {}", count, count == 1 ? "letter" : "letters");
}

exit_code redrive_all(operated_schema& in, const operated_target& target) {
  std::int64_t total = 0;
  std::int64_t count = 0;
  do {
    count = call<std::int64_t>(in, target, "redrive_all", at_once);
    total += count;
    tell_for_now(fmt::format("{} redriven", total));
  } while (count == at_once);
  say(fmt::format("redrove {} of {}", spell(total), target.title()));
  return exit_code::done;
}

exit_code redrive_some(operated_schema& in, const operated_target& target, const std::vector<std::int64_t>& ids) {
  std::int64_t count = 0;
  for (const std::int64_t id : ids) {
    if (call<bool>(in, target, "redrive", id))
      ++count;
    else
      complain(fmt::format("{} has no dead letter {}", target.title(), id));
  }
  say(fmt::format("redrove {} of {}", spell(count), target.title()));
  return count == static_cast<std::int64_t>(ids.size()) ? exit_code::done : exit_code::input_wrong;
}

exit_code run(const redrive_arguments& given) {
  const auto ids = parse_ids(given.ids);
  if (given.is_all != ids.empty()) throw failure{exit_code::usage, "say which dead letters: their ids, or --all"};
  operated_schema in = open_schema(given.place, "quern redrive");
  const operated_target target = find_target(in, given.target);
  expect_consumer(target);
  expect_dead_letters(in, target.queue, "redrive");
  return given.is_all ? redrive_all(in, target) : redrive_some(in, target, ids);
}

}  // namespace

void add_redrive(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<redrive_arguments>();
  const command_line command = program.add_command("redrive", "Give dead letters all their attempts again");
  command.add_option("queue", given->target, "A queue, or STREAM/CONSUMER").required();
  command.add_option("id", given->ids, "Of messages, or offsets of events");
  add_operated(command, given->place);
  command.add_flag("--all", given->is_all, "All of them, the oldest first");
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
