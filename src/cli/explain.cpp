// quern explain: what a finding means, and the way out.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "check/codes.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace cli {
namespace {

using nlohmann::ordered_json;

struct explain_arguments {
  std::string code{};
  bool is_json = false;
};

std::string_view word(text::severity level) {
  return level == text::severity::error ? "error" : "warning";
}

ordered_json as_json(const check::code& one) {
  return {{"code", one.name}, {"severity", word(one.level)}, {"title", one.title}, {"explanation", one.explanation}};
}

exit_code list(const explain_arguments& given) {
  ordered_json all = ordered_json::array();
  for (const check::code_group& group : check::code_groups()) {
    if (!given.is_json) say(fmt::format("{}{}:", all.empty() ? "" : "\n", bold(group.name, stream::output)));
    for (const check::code& one : group.codes) {
      all.push_back(as_json(one));
      if (!given.is_json) say(fmt::format("  {:<34}{}", one.name, one.title));
    }
  }
  if (given.is_json) say(all.dump(2));
  return exit_code::done;
}

exit_code explain(const explain_arguments& given) {
  const check::code* const known = check::find_code(given.code);
  if (known == nullptr) {
    const auto names = check::code_names();
    const auto better = text::nearest_name(given.code, names);
    throw failure{exit_code::usage,
                  fmt::format("there is no finding `{}`{}; `quern explain` lists them all", text::clipped(given.code),
                              better ? fmt::format(", did you mean `{}`?", *better) : "")};
  }
  if (given.is_json) {
    say(as_json(*known).dump(2));
  } else {
    say(fmt::format("{} ({}): {}\n\n{}", bold(known->name, stream::output), word(known->level), known->title,
                    known->explanation));
  }
  return exit_code::done;
}

}  // namespace

void add_explain(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<explain_arguments>();
  const command_line command =
      program.add_command("explain", "Say what a finding means and what to do about it; without a code, list all");
  command.add_option("CODE", given->code, "What stands in [] behind a message");
  command.add_flag("--json", given->is_json, "As JSON");
  on_call(command, result, [given] { return given->code.empty() ? list(*given) : explain(*given); });
}

}  // namespace cli
