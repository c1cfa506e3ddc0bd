// quern release: what is drafted becomes history.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/migrations.hpp"
#include "cli/terminal.hpp"
#include "contract/queue_names.hpp"
#include "contract/schedules.hpp"

namespace cli {
namespace {

struct release_arguments {
  project_places where{};
  std::vector<std::string> queues{};
};

/// The lines of the queues of those names: any that they have or had.
std::vector<std::string> lines_of(const contract::lock& lock, const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for (const auto& name : names) {
    const auto* line = contract::find_owner(lock, name);
    if (line == nullptr)
      throw failure{exit_code::input_wrong, fmt::format("there is no queue or stream \"{}\" in quern.lock", name)};
    lines.push_back(line->name);
  }
  return lines;
}

/// One line of words each.
std::vector<std::string> what_is_released(const contract::line& line) {
  std::vector<std::string> words;
  const auto& released = *line.released;
  for (auto i = released.contracts; i < line.state.contracts.size(); ++i)
    words.push_back(fmt::format("released contract v{} of {} {}", line.state.contracts[i].version,
                                contract::kind_of(line.state), line.state.contracts[i].queue));
  for (auto i = released.migrations; i < line.migrations.size(); ++i)
    words.push_back(fmt::format("released {}/{}", line.name, line.migrations[i].file));
  return words;
}

/// The migration of what is shared names the queues that come and go with it, or get another name, and the contracts
/// that schedules speak.
bool comes_with_core(const contract::line& line, const contract::lock& lock) {
  if (!line.released) return false;
  if (line.released->contracts < line.state.contracts.size() &&
      contract::is_scheduled(lock.schedules, contract::queue_name(line)))
    return true;
  if (line.released->migrations == 0 || line.state.is_dropped != line.released->is_dropped) return true;
  return line.state.contracts[line.released->contracts - 1].queue != contract::queue_name(line);
}

/// The lines that are released, of those names or all; a queue needs what is shared.
std::vector<contract::line*> wanted_lines(contract::lock& lock, const std::vector<std::string>& names) {
  const auto* core = contract::find_line(lock, contract::core_line);
  const bool is_core_drafted = core != nullptr && core->released;
  const auto is_named = [&](const std::string& line) {
    return names.empty() || std::find(names.begin(), names.end(), line) != names.end();
  };
  std::vector<contract::line*> result;
  bool has_queue = false;
  for (auto& line : lock.lines) {
    if (!line.released || line.name == contract::core_line) continue;
    has_queue = has_queue || is_named(line.name);
    if (is_named(line.name) || (is_core_drafted && comes_with_core(line, lock))) result.push_back(&line);
  }
  if (!names.empty() && !has_queue) return {};
  for (auto& line : lock.lines)
    if (line.released && line.name == contract::core_line) result.insert(result.begin(), &line);
  return result;
}

exit_code run(const release_arguments& given) try {
  const declared_project project{given.where};
  const render::output output{project.directories(), render::parts::all, render::output::access::write};
  const auto source = output.read_lock();
  refuse_lost_lock(source.name);
  const auto lock = read_lock(source);
  const auto named = lines_of(lock, given.queues);
  const auto present = project.generate(lock, render::parts::all);
  const auto outdated = output.compare(present);
  refuse_problems(outdated.problems);
  if (!outdated.is_empty())
    throw failure{exit_code::input_wrong, "the files are not what the declaration gives: run `quern generate` first"};
  auto released = lock;
  const auto lines = wanted_lines(released, named);
  if (lines.empty()) say("nothing to release");
  if (lines.empty()) return exit_code::done;
  std::vector<std::string> words;
  for (auto* line : lines) {
    std::ranges::move(what_is_released(*line), std::back_inserter(words));
    line->released.reset();
  }
  const auto after = project.generate(released, render::parts::all);
  output.write(after, output.compare(after));
  for (const std::string& one : words) say(one);
  return exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_release(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<release_arguments>();
  const command_line command =
      program.add_command("release", "Make drafted contracts and migrations history, which nothing changes any more");
  command.add_option("queues", given->queues,
                     "Only these, with what all queues share and the queues that come or go with that (default: all)");
  add_places(command, given->where);
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
