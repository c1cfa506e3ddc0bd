// quern purge: deletes dead letters, and messages that wait.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/time.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct purge_arguments {
  operated_place place{};
  std::string target{};
  std::vector<std::string> ids{};
  std::string older_than{};
  bool is_dead = false;
  bool is_waiting = false;
  bool is_yes = false;
};

// In a transaction of its own each time, so that nobody waits for long.
constexpr std::int64_t at_once = 5000;

std::string spell(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Those that were there when it began.
std::int64_t cancel_all(operated_schema& in, const operated_queue& of) {
  const auto until = in.db.execute("select clock_timestamp()").value<quern::timestamp>();
  const std::string sql = fmt::format("select {}($1, $2)", of.function("cancel_all"));
  std::int64_t total = 0;
  for (std::int64_t count = at_once; count > 0;) {
    count = in.db.execute(sql, at_once, until).value<std::int64_t>();
    total += count;
    tell_for_now(fmt::format("{} deleted", total));
  }
  return total;
}

exit_code purge_waiting(operated_schema& in, const operated_target& target, const purge_arguments& given) {
  const operated_queue& queue = target.queue;
  if (queue.is_stream)
    throw failure{exit_code::input_wrong,
                  fmt::format("{} keeps its events for its retention: move a consumer with its _seek", queue.title())};
  if (queue.is_log)
    throw failure{exit_code::input_wrong,
                  fmt::format("{} is a log, of which nothing can be deleted: quern work {} --drain --exec true",
                              queue.title(), queue.name)};
  if (!is_confirmed(given.is_yes, fmt::format("Delete all messages that wait in {} for good?", target.title()))) {
    say("nothing was deleted");
    return exit_code::done;
  }
  const std::int64_t count = cancel_all(in, queue);
  say(fmt::format("deleted {} of {}", spell(count, "message"), target.title()));
  return exit_code::done;
}

// Of a queue one that waits or is dead, of a consumer one that is dead.
bool is_deleted(operated_schema& in, const operated_target& target, std::int64_t id) {
  const operated_queue& queue = target.queue;
  if (queue.is_stream)
    return in.db.execute(fmt::format("select {}($1, p_offset => $2)", queue.function("purge")), target.consumer, id)
               .value<std::int64_t>() > 0;
  if (has_function(in, queue, "purge") &&
      in.db.execute(fmt::format("select {}(p_message_id => $1)", queue.function("purge")), id).value<std::int64_t>() >
          0)
    return true;
  return in.db.execute(fmt::format("select {}($1)", queue.function("cancel")), id).value<bool>();
}

// Says why not.
bool purge_one(operated_schema& in, const operated_target& target, std::int64_t id) try {
  if (is_deleted(in, target, id)) return true;
  complain(fmt::format("{} has no {} {} that {}", target.title(), target.queue.is_stream ? "event" : "message", id,
                       target.queue.is_stream ? "is dead" : "waits or is dead"));
  return false;

} catch (const quern::database_error& refused) {
  if (!is_kept_in_log(refused)) throw;
  complain(refused.what());
  return false;
}

exit_code purge_some(operated_schema& in, const operated_target& target, const purge_arguments& given) {
  expect_consumer(target);
  const auto ids = parse_ids(given.ids);
  const char* const what = target.queue.is_stream ? "event" : "message";
  if (!is_confirmed(given.is_yes, fmt::format("Delete {} of {} for good?",
                                              spell(static_cast<std::int64_t>(ids.size()), what), target.title()))) {
    say("nothing was deleted");
    return exit_code::done;
  }
  std::int64_t count = 0;
  for (const std::int64_t id : ids) count += purge_one(in, target, id) ? 1 : 0;
  say(fmt::format("deleted {} of {}", spell(count, what), target.title()));
  return count == static_cast<std::int64_t>(ids.size()) ? exit_code::done : exit_code::input_wrong;
}

std::string dead_question(const operated_target& target, const purge_arguments& given) {
  const std::string age = given.older_than.empty() ? "" : fmt::format(" that died more than {} ago", given.older_than);
  return fmt::format("Delete the dead letters of {}{} for good?", target.title(), age);
}

exit_code purge_dead(operated_schema& in, const operated_target& target, const purge_arguments& given,
                     const quern::interval& age) {
  expect_consumer(target);
  expect_dead_letters(in, target.queue, "purge");
  if (!is_confirmed(given.is_yes, dead_question(target, given))) {
    say("nothing was deleted");
    return exit_code::done;
  }
  const std::string function = target.queue.function("purge");
  const auto deleted = target.consumer.empty()
                           ? in.db.execute(fmt::format("select {}($1)", function), age)
                           : in.db.execute(fmt::format("select {}($1, $2)", function), target.consumer, age);
  say(fmt::format("deleted {} of {}", spell(deleted.value<std::int64_t>(), "dead letter"), target.title()));
  return exit_code::done;
}

exit_code run(const purge_arguments& given) {
  if (int{given.is_dead} + int{given.is_waiting} + int{!given.ids.empty()} != 1)
    throw failure{exit_code::usage, "say what is to be deleted: --dead, --waiting, or ids"};
  if (!given.older_than.empty() && !given.is_dead) throw failure{exit_code::usage, "--older-than is of --dead"};
  const quern::interval age{
      std::chrono::microseconds{given.older_than.empty() ? 0 : parse_length("--older-than", given.older_than)}};
  operated_schema in = open_schema(given.place, "quern purge");
  const operated_target target = find_target(in, given.target);
  if (given.is_dead) return purge_dead(in, target, given, age);
  return given.is_waiting ? purge_waiting(in, target, given) : purge_some(in, target, given);
}

}  // namespace

void add_purge(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<purge_arguments>();
  const command_line command = program.add_command("purge", "Delete dead letters, or messages that wait");
  command.add_option("queue", given->target, "A queue, or STREAM/CONSUMER").required();
  command.add_option("id", given->ids, "Messages that wait or are dead, or offsets of dead events");
  add_operated(command, given->place);
  command.add_flag("--dead", given->is_dead, "All dead letters");
  command.add_flag("--waiting", given->is_waiting, "All messages that nobody works on");
  command.add_option("--older-than", given->older_than, "Only those that died longer ago: 7d").not_empty();
  command.add_flag("--yes", given->is_yes, "Do not ask");
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
