// quern cancel: takes messages back before they are handled.

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct cancel_arguments {
  operated_place place{};
  std::string queue{};
  std::vector<std::string> ids{};
};

// Says why not.
bool cancel_one(operated_schema& in, const operated_queue& of, std::int64_t id) try {
  if (in.db.execute(fmt::format("select {}($1)", of.function("cancel")), id).value<bool>()) return true;
  complain(
      fmt::format("message {} of {} does not wait: it is being handled, has ended or was never there", id, of.title()));
  return false;

} catch (const quern::database_error& refused) {
  if (!is_kept_in_log(refused)) throw;
  complain(refused.what());
  return false;
}

exit_code run(const cancel_arguments& given) {
  const auto ids = parse_ids(given.ids);
  operated_schema in = open_schema(given.place, "quern cancel");
  const operated_queue queue = find_queue(in, given.queue);
  if (queue.is_stream)
    throw failure{exit_code::input_wrong, fmt::format("events cannot be cancelled: {} is a log", queue.title())};
  std::size_t count = 0;
  for (const std::int64_t id : ids) count += cancel_one(in, queue, id) ? 1 : 0;
  say(fmt::format("cancelled {} {} of {}", count, count == 1 ? "message" : "messages", queue.title()));
  return count == ids.size() ? exit_code::done : exit_code::input_wrong;
}

}  // namespace

void add_cancel(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<cancel_arguments>();
  const command_line command = program.add_command("cancel", "Take messages back that wait to be handled");
  command.add_option("queue", given->queue, "A queue").required();
  command.add_option("id", given->ids, "Of messages").required();
  add_operated(command, given->place);
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
