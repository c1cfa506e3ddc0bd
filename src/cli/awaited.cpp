#include "cli/awaited.hpp"

#include <fmt/format.h>

#include <quern/message_result.hpp>
#include <stop_token>
#include <string>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "render/names.hpp"
#include "text/visible.hpp"

namespace cli {
namespace {

using quern::result_state;

quern::message_result await(operated_schema& in, const operated_queue& of, std::int64_t id, quern::deadline until) {
  const std::string look = fmt::format("select state, result from {}($1)", of.function("result"));
  const std::string await =
      fmt::format("select state, result, may_be_ending, since::text from {}($1, $2::text::xid8)", of.function("await"));
  const std::string end = fmt::format("select {}($1)", of.function("await_end"));
  const std::string channel = render::names::done_channel(of.schema, of.line);
  const quern::prepared prepared_look{look};
  const quern::prepared prepared_await{await};
  const quern::prepared prepared_end{end};
  return quern::wait_for_result(in.db, {&prepared_look, &prepared_await, &prepared_end, channel}, id, until, {});
}

// Only operators may know.
std::string last_error(operated_schema& in, const operated_queue& of, std::int64_t id) try {
  const auto rows = in.db.execute(fmt::format("select last_error from {}('{{dead}}', 1, $1)", of.function("peek")),
                                  std::vector<std::int64_t>{id});
  const auto error = rows.empty() ? std::nullopt : rows[0].get<std::optional<std::string>>(0);
  return error ? ": " + text::visible(*error) : "";

} catch (const quern::database_error&) {
  return "";
}

quern::deadline end_of(std::optional<std::chrono::microseconds> longest) {
  return longest ? std::chrono::steady_clock::now() + *longest : quern::no_deadline;
}

}  // namespace

exit_code say_result(operated_schema& in, const operated_queue& of, std::int64_t message_id,
                     std::optional<std::chrono::microseconds> longest) try {
  const std::string title = fmt::format("message {} of {}", message_id, of.title());
  const auto found = await(in, of, message_id, end_of(longest));
  switch (found.state) {
    case result_state::done:
      say(found.value ? found.value->text : "null");
      return exit_code::done;
    case result_state::pending:
      throw failure{exit_code::gave_up_waiting, fmt::format("{} was not handled in time; it stays enqueued", title)};
    case result_state::dead:
      throw failure{exit_code::not_handled, fmt::format("{} is dead{}", title, last_error(in, of, message_id))};
    case result_state::unknown:
      break;
  }
  throw failure{exit_code::not_handled, fmt::format("{} was cancelled, purged or dropped", title)};

} catch (const quern::error& refused) {
  throw failure{code_of(refused),
                fmt::format("message {} of {} was enqueued: {}", message_id, of.title(), refused.what())};
}

}  // namespace cli
