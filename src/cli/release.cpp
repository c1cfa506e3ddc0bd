// quern release: what is drafted becomes history.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

struct release_arguments {
  project_places where{};
  std::vector<std::string> queues{};
};

void check_names(const contract::lock& lock, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (contract::find_line(lock, name) == nullptr)
      throw failure{exit_code::input_wrong, fmt::format("there is no queue \"{}\" in quern.lock", name)};
  }
}

void say_released(const contract::line& line) {
  const auto& released = *line.released;
  for (auto i = released.contracts; i < line.state.contracts.size(); ++i)
    say(fmt::format("released contract v{} of queue {}", line.state.contracts[i].version, line.name));
  for (auto i = released.migrations; i < line.migrations.size(); ++i)
    say(fmt::format("released {}/{}", line.name, line.migrations[i].file));
}

/// A queue needs what is shared: the core is released with each of them.
contract::lock release(contract::lock lock, const std::vector<std::string>& names) {
  const auto is_wanted = [&](const contract::line& line) {
    return names.empty() || line.name == contract::core_line ||
           std::find(names.begin(), names.end(), line.name) != names.end();
  };
  for (auto& line : lock.lines) {
    if (!line.released || !is_wanted(line)) continue;
    say_released(line);
    line.released.reset();
  }
  return lock;
}

exit_code run(const release_arguments& given) try {
  const declared_project project{given.where};
  const render::output output{project.directories(), render::parts::all, render::output::access::write};
  const auto lock = read_lock(output.read_lock());
  check_names(lock, given.queues);
  const auto present = project.generate(lock, render::parts::all);
  const auto outdated = output.compare(present);
  refuse_problems(outdated.problems);
  if (!outdated.is_empty())
    throw failure{exit_code::input_wrong, "the files are not what the declaration gives: run `quern generate` first"};
  const auto is_drafted = [](const contract::line& line) { return line.released.has_value(); };
  if (std::none_of(lock.lines.begin(), lock.lines.end(), is_drafted)) {
    say("nothing to release");
    return exit_code::done;
  }
  const auto released = project.generate(release(lock, given.queues), render::parts::all);
  output.write(released, output.compare(released));
  return exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

}  // namespace

void add_release(CLI::App& program, exit_code& result) {
  const auto given = std::make_shared<release_arguments>();
  CLI::App* const command = program.add_subcommand(
      "release", "Make drafted contracts and migrations history, which nothing changes any more");
  command->add_option("queues", given->queues, "Only these, with what all queues share (default: all)");
  add_places(*command, given->where);
  on_call(*command, result, [given] { return run(*given); });
}

}  // namespace cli
