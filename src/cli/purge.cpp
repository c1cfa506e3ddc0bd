// quern purge: deletes dead letters, and messages that wait.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <quern/connection.hpp>
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
constexpr int at_once = 5000;

std::string spell(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void wake(operated_schema& in, const operated_queue& of) {
  in.db.execute(fmt::format("select {}()", of.table("wake")));
}

// Those that nobody has claimed, and that were there when it began, by their ids: a scan from the start each time would
// pass over all that is deleted. The triggers of the queue free their keys.
std::int64_t delete_from(operated_schema& in, const operated_queue& of, const char* table,
                         const quern::timestamp& until) {
  const std::string sql = fmt::format(
      "with gone as (delete from {0} as m where m.message_id = any (array(select w.message_id from {0} as w where "
      "w.message_id > $3 and w.lease_until <= clock_timestamp() and w.enqueued_at <= $1 order by w.message_id limit $2 "
      "for "
      "update skip locked)) returning m.message_id) select count(*), max(g.message_id) from gone as g",
      of.table(table));
  std::int64_t total = 0;
  for (std::optional<std::int64_t> last = 0; last;) {
    const auto deleted = in.db.execute(sql, until, at_once, *last);
    total += deleted.single_row().get<std::int64_t>(0);
    last = deleted.single_row().get<std::optional<std::int64_t>>(1);
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
  const auto until = in.db.execute("select clock_timestamp()").value<quern::timestamp>();
  const std::int64_t count = delete_from(in, queue, "message", until) + delete_from(in, queue, "delayed", until);
  say(fmt::format("deleted {} of {}", spell(count, "message"), target.title()));
  return exit_code::done;
}

// Of a queue those that wait or are dead, of a consumer those that are dead. Returns how many there were of it.
std::int64_t delete_one(operated_schema& in, const operated_target& target, std::int64_t id) {
  const operated_queue& queue = target.queue;
  if (queue.is_stream)
    return static_cast<std::int64_t>(
        in.db
            .execute(
                fmt::format("delete from {} as f where f.consumer = $1 and f.event_offset = $2 and f.dead_at is not "
                            "null",
                            queue.table("failed")),
                target.consumer, id)
            .affected_rows());
  std::int64_t count = 0;
  const auto delete_in = [&](const char* table, const char* condition) {
    count += static_cast<std::int64_t>(
        in.db.execute(fmt::format("delete from {} as m where m.message_id = $1{}", queue.table(table), condition), id)
            .affected_rows());
  };
  constexpr const char* unclaimed = " and m.lease_until <= clock_timestamp()";
  if (!queue.is_log) delete_in("message", unclaimed);
  delete_in("delayed", unclaimed);
  if (has_function(in, queue, "purge")) delete_in("dead", "");
  return count;
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
  for (const std::int64_t id : ids) {
    if (delete_one(in, target, id) > 0)
      ++count;
    else
      complain(fmt::format("{} has no {} {} that {}", target.title(), what, id,
                           target.queue.is_stream ? "is dead"
                           : target.queue.is_log  ? "was tried before or is dead, and is not claimed"
                                                  : "waits or is dead"));
  }
  // Keys that they blocked may go on.
  if (count > 0) wake(in, target.queue);
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

void add_purge(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<purge_arguments>();
  CLI::App* const command = program.add_subcommand("purge", "Delete dead letters, or messages that wait");
  command->add_option("queue", given->target, "A queue, or STREAM/CONSUMER")->required();
  command->add_option("id", given->ids,
                      "Messages that wait or are dead, or offsets of dead events; for the owner of the tables");
  add_operated(*command, given->place);
  command->add_flag("--dead", given->is_dead, "All dead letters");
  command->add_flag("--waiting", given->is_waiting, "All messages that nobody works on; for the owner of the tables");
  command->add_option("--older-than", given->older_than, "Only those that died longer ago: 7d");
  command->add_flag("--yes", given->is_yes, "Do not ask");
  on_operation(*command, result, [given] { return run(*given); });
}

}  // namespace cli
