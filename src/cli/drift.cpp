// quern drift: what somebody has changed by hand.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/comparison.hpp"
#include "cli/migrations.hpp"
#include "cli/terminal.hpp"
#include "migrate/drift_adopted.hpp"
#include "migrate/error.hpp"

namespace cli {
namespace {

using migrate::difference;
using migrate::difference_kind;
using nlohmann::ordered_json;

struct drift_arguments {
  comparison_arguments compared{};
  bool is_json = false;
  bool is_verbose = false;
};

// What can be done about a kind of difference. Nothing here is ever done by quern itself.
std::string_view advice(difference_kind kind) {
  switch (kind) {
    case difference_kind::missing:
      return "missing: make it again as its migration does (`quern drift --verbose` shows it), or accept its absence "
             "with "
             "`quern adopt`";
    case difference_kind::unexpected:
      return "not in the migrations: write it as a hook (migrations/<line>/hooks/NNNN_after.sql), drop it by hand, or "
             "accept it with `quern adopt`";
    case difference_kind::changed:
      return "changed: change it back by hand, write the change as a hook, or accept it with `quern adopt`";
    case difference_kind::order:
      return "order: harmless to generated code; pass it over with --ignore-order, or accept it with `quern adopt`";
  }
  return "";
}

constexpr difference_kind kinds[] = {difference_kind::missing, difference_kind::unexpected, difference_kind::changed,
                                     difference_kind::order};

bool is_outdated(const migrate::judgement& judged, const std::string& object) {
  return std::ranges::find(judged.outdated, object) != judged.outdated.end();
}

std::string indented(std::string_view text) {
  std::string made = "    ";
  for (const char c : text) made += c == '\n' ? "\n    " : std::string(1, c);
  return made;
}

void say_texts(std::string_view title, const std::string& text) {
  if (!text.empty())
    say(fmt::format("  {}:\n{}", title, indented(text.back() == '\n' ? text.substr(0, text.size() - 1) : text)));
}

void say_difference(const difference& one, const migrate::judgement& judged, bool is_verbose) {
  const std::string_view note = is_outdated(judged, one.object) ? " (was adopted at another definition)" : "";
  say(fmt::format("{}{}", one.words, yellow(note, stream::output)));
  if (!is_verbose) return;
  say_texts("the migrations", one.expected);
  say_texts("the database", one.found);
}

void say_judgement(const migrate::judgement& judged, const drift& found, bool is_verbose) {
  for (const difference& one : judged.open) say_difference(one, judged, is_verbose);
  for (const std::string& object : judged.idle)
    say(fmt::format("{} is adopted, but does not differ: `quern adopt --remove` takes that back", object));
  if (found.pending > 0)
    say(fmt::format("{} pending: compared with what was applied",
                    found.pending == 1 ? "1 migration is" : fmt::format("{} migrations are", found.pending)));
  if (!judged.honoured.empty())
    say(fmt::format("{} adopted {} passed over", judged.honoured.size(),
                    judged.honoured.size() == 1 ? "difference is" : "differences are"));
  if (judged.open.empty()) return say(green("no drift", stream::output));
  for (const difference_kind kind : kinds)
    if (std::ranges::find(judged.open, kind, &difference::kind) != judged.open.end())
      say(dim(advice(kind), stream::output));
}

ordered_json as_json(const migrate::judgement& judged, const drift& found) {
  ordered_json differences = ordered_json::array();
  for (const difference& one : judged.open)
    differences.push_back({{"object", one.object},
                           {"kind", spell(one.kind)},
                           {"property", one.property},
                           {"words", one.words},
                           {"expected", one.expected},
                           {"found", one.found},
                           {"was_adopted_otherwise", is_outdated(judged, one.object)}});
  return {{"state", judged.open.empty() ? "none" : "drift"},
          {"differences", std::move(differences)},
          {"adopted", judged.honoured},
          {"idle_adoptions", judged.idle},
          {"pending_migrations", found.pending}};
}

exit_code run(const drift_arguments& given) try {
  const drift found = compare_with_migrations(given.compared);
  const migrate::judgement judged =
      migrate::judge(found.differences, migrate::read_adoptions(given.compared.migrations / migrate::adoptions_file));
  if (given.is_json)
    say(as_json(judged, found).dump(2));
  else
    say_judgement(judged, found, given.is_verbose);
  return judged.open.empty() ? exit_code::done : exit_code::input_wrong;

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};
}

}  // namespace

void add_drift(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<drift_arguments>();
  const command_line command =
      program.add_command("drift", "Say how a database differs from what its migrations made; changes nothing");
  add_options(command, given->compared);
  command.add_flag("--json", given->is_json, "As JSON, with the whole texts");
  command.add_flag("--verbose", given->is_verbose, "Show the whole texts of what differs");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
