// quern_torture: real processes publish, read, acknowledge, enqueue, claim and clear away while they and the server are
// killed; then a checker goes over what each of them has written down.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "guards.hpp"
#include "play.hpp"

namespace {

namespace fs = std::filesystem;

std::string guard_list() {
  std::string text = "Guards that --without knows:\n";
  for (const torture::guard& each : torture::guards())
    text += fmt::format("  {:24} {} ({})\n", each.name, each.meaning, each.promise);
  return text;
}

void print(const torture::report& found) {
  for (const auto& [what, count] : found.counts()) fmt::print("  {:50} {:>10}\n", what, count);
  constexpr std::size_t shown = 10;
  for (const auto& [promise, all] : found.violations()) {
    fmt::print("\nVIOLATED: {} ({} times)\n", promise, all.size());
    for (std::size_t i = 0; i < std::min(shown, all.size()); ++i) fmt::print("  {}\n", all[i]);
    if (all.size() > shown) fmt::print("  … and {} more\n", all.size() - shown);
  }
}

/// Whether each guard that was taken out was missed, as an exit code.
int missed(const torture::report& found, const std::vector<std::string>& without) {
  bool are_all = true;
  for (const std::string& name : without) {
    const bool is_missed = found.violations().contains(std::string{torture::guard_named(name).promise});
    fmt::print("without {}: {}\n", name, is_missed ? "was noticed" : "WAS NOT NOTICED");
    are_all = are_all && is_missed;
  }
  return are_all ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  torture::plan how;
  std::optional<std::uint64_t> seed;
  std::optional<int> seconds;
  bool is_list = false;
  bool must_fail = false;
  CLI::App program{"Kills whoever works with Quern, and the server, and checks that every promise holds", "torture"};
  program.add_option("--seconds", seconds, "How long; 600 unless given, 18 with --short")->check(CLI::Range(1, 86'400));
  program.add_option("--seed", seed, "Of the faults and of what is done; a random one unless given");
  program.add_option("--workers", how.workers, "Processes that work on the queues; a dozen unless given")
      ->check(CLI::Range(1, 500));
  program.add_option("--depth", how.depth, "Messages that wait in a queue of each storage when it begins")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100'000'000}));
  program.add_flag("--short", how.is_short, "For tests: 18 seconds, and faults that come faster");
  program.add_option("--dir", how.directory, "Where the histories go")->capture_default_str();
  program.add_option("--templates", how.templates, "Templates that take the place of the program's")
      ->check(CLI::ExistingDirectory);
  program.add_option("--without", how.without, "Takes a guard out of the templates: then this has to fail");
  program.add_flag("--must-fail", must_fail, "Exit code 0 if each guard that was taken out was missed, else 1");
  program.add_flag("--guards", is_list, "Shows the guards, and ends");
  program.footer(
      "Exit code 0: every promise held. 1: one was broken; the histories stay. 130: none was"
      " until it was interrupted.");
  CLI11_PARSE(program, count, words);
  if (is_list) return fmt::print("{}", guard_list()), 0;
  how.seconds = seconds.value_or(how.is_short ? 18 : 600);
  how.seed = seed.value_or(std::random_device{}());
  how.is_terminal = isatty(STDERR_FILENO) != 0;
  try {
    const auto found = torture::play(how);
    print(found);
    const bool is_cut_short = torture::was_cut_short();
    fmt::print("\nseed {}: {}{}; histories in {}\n", how.seed,
               found.is_clean() ? "every promise held" : "PROMISES WERE BROKEN",
               is_cut_short ? " until it was interrupted" : "", how.directory.string());
    if (must_fail) return missed(found, how.without);
    return !found.is_clean() ? 1 : is_cut_short ? 130 : 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "\ntorture: {} (seed {})\n", problem.what(), how.seed);
    return 1;
  }
}
