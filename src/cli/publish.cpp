// quern publish: events out of JSON.

#include <fmt/format.h>

#include <memory>
#include <quern/connection.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/operated.hpp"
#include "cli/payloads.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct publish_arguments {
  operated_place place{};
  std::string stream{};
  std::string json{};
};

exit_code run(const publish_arguments& given) {
  operated_schema in = open_schema(given.place, "quern publish");
  const operated_queue into = find_queue(in, given.stream);
  if (!into.is_stream)
    throw failure{exit_code::input_wrong, fmt::format("{} is no stream: quern enqueue {}", into.title(), into.name)};
  const std::string sql = fmt::format(
      "select count(e) from (select {}(p.payload::jsonb) as e from unnest($1) with ordinality as p (payload, place) "
      "order "
      "by p.place offset 0) as s",
      into.function("publish_json"));
  const auto send = [&](const std::vector<std::string>& payloads) { in.db.execute(sql, payloads); };
  const std::int64_t count = send_all(given.json, send);
  say(fmt::format("published {} {}", count, count == 1 ? "event" : "events"));
  return exit_code::done;
}

}  // namespace

void add_publish(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<publish_arguments>();
  const command_line command = program.add_command("publish", "Publish events out of JSON, in their order");
  command.add_option("stream", given->stream, "The stream").required();
  command.add_option("--json", given->json, "The payload, or -: one payload a line of standard input").required();
  add_operated(command, given->place);
  on_operation(command, result, [given] { return run(*given); });
}

}  // namespace cli
