// quern pause and quern resume: whether a queue hands out messages.

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

struct pause_arguments {
  operated_place place{};
  std::vector<std::string> queues{};
};

/// What the verb has done, and what is the case when it had nothing to do.
struct words {
  const char* verb;
  const char* done;
  const char* already;
};

exit_code run(const pause_arguments& given, const words& of) {
  operated_schema in = open_schema(given.place, fmt::format("quern {}", of.verb));
  std::vector<operated_queue> queues;
  for (const std::string& name : given.queues) queues.push_back(find_queue(in, name));
  for (const operated_queue& one : queues)
    if (one.is_stream)
      throw failure{exit_code::input_wrong,
                    fmt::format("{} cannot be paused: its consumers read at their own pace", one.title())};
  for (const operated_queue& one : queues) {
    const bool is_changed = in.db.execute(fmt::format("select {}()", one.function(of.verb))).value<bool>();
    say(fmt::format("{} {}", one.title(), is_changed ? of.done : of.already));
  }
  return exit_code::done;
}

void add(const command_line& program, exit_code& result, const words& of, const char* help) {
  const auto given = std::make_shared<pause_arguments>();
  const command_line command = program.add_command(of.verb, help);
  command.add_option("queue", given->queues, "Queues").required();
  add_operated(command, given->place);
  on_operation(command, result, [given, of] { return run(*given, of); });
}

}  // namespace

void add_pause(const command_line& program, exit_code& result) {
  add(program, result, {"pause", "is paused", "was paused already"},
      "Hand out no more messages of a queue; it goes on to take them in");
}

void add_resume(const command_line& program, exit_code& result) {
  add(program, result, {"resume", "hands out messages again", "was not paused"}, "Hand out messages again");
}

}  // namespace cli
