#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "cli/command.hpp"
#include "cli/standard_streams.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace cli {
namespace {

// What stands for a `--` in front of the rest, which CLI11 takes away together with what follows: no argument of a
// program has this byte.
constexpr std::string_view rest_mark{"\0", 1};

const CLI::App* command_of(const CLI::App& in, const std::string& word) {
  const auto all = in.get_subcommands([&](const CLI::App* one) { return one->check_name(word); });
  return all.empty() ? nullptr : all.front();
}

// CLI11 reads `--name=` as `--name`, whose value is the next word or none.
void expect_value(const CLI::App& of, const std::string& word) {
  if (!word.starts_with("--") || !word.ends_with('=')) return;
  const std::string name = word.substr(0, word.size() - 1);
  for (const CLI::App* at = &of; at != nullptr; at = at->get_parent())
    if (at->get_option_no_throw(name) != nullptr)
      throw failure{exit_code::usage, fmt::format("{} has no value behind its =", name)};
}

// The arguments as CLI11 is to read them.
std::vector<std::string> words_of(const CLI::App& all, int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + std::max(count, 1));
  const CLI::App* at = &all;
  for (std::string& word : words) {
    if (const CLI::App* const named = command_of(*at, word); named != nullptr) {
      at = named;
    } else if (at->get_prefix_command()) {
      if (word == "--") word = rest_mark;
      break;
    } else {
      if (word == "--") break;
      expect_value(*at, word);
    }
  }
  return words;
}

// Throws failure where a word stands in the place of a command and is none.
void expect_command(const CLI::App& all) {
  const CLI::App* at = &all;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  if (at->get_require_subcommand_min() == 0) return;
  const std::vector<std::string> unknown = all.remaining(true);
  const auto word = std::ranges::find_if(unknown, [](const std::string& one) { return !one.starts_with('-'); });
  if (word == unknown.end()) return;
  std::vector<std::string_view> names;
  for (const CLI::App* one : at->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(one->get_name());
  const auto meant = text::nearest_name(*word, names);
  const std::string title = at == &all ? all.get_name() : fmt::format("{} {}", all.get_name(), at->get_name());
  throw failure{exit_code::usage, fmt::format("{} has no command \"{}\"{}", title, text::clipped(*word),
                                              meant ? fmt::format("; did you mean \"{}\"?", *meant)
                                                    : fmt::format(": `{} --help` names those that it has", title))};
}

}  // namespace

const command_option& command_option::required() const {
  one_->required();
  return *this;
}

const command_option& command_option::shows_default() const {
  one_->capture_default_str();
  return *this;
}

const command_option& command_option::excludes(const command_option& other) const {
  one_->excludes(other.one_);
  return *this;
}

const command_option& command_option::between(std::int64_t first, std::int64_t last) const {
  one_->check(CLI::Range(first, last));
  return *this;
}

const command_option& command_option::one_of(const std::vector<std::string>& words) const {
  one_->check(CLI::IsMember(words));
  return *this;
}

const command_option& command_option::not_empty() const {
  return check([](const std::string& text) { return text.empty() ? "it is empty" : ""; });
}

const command_option& command_option::check(std::function<std::string(const std::string&)> problem_with) const {
  one_->check(std::move(problem_with));
  return *this;
}

command_line command_line::add_command(const std::string& name, const std::string& help) const {
  return command_line{one_->add_subcommand(name, help)};
}

template <class Value>
command_option command_line::add_option(const std::string& name, Value& into, const std::string& help) const {
  return command_option{one_->add_option(name, into, help)};
}

template command_option command_line::add_option(const std::string&, std::string&, const std::string&) const;
template command_option command_line::add_option(const std::string&, std::filesystem::path&, const std::string&) const;
template command_option command_line::add_option(const std::string&, int&, const std::string&) const;
template command_option command_line::add_option(const std::string&, std::int64_t&, const std::string&) const;
template command_option command_line::add_option(const std::string&, std::optional<std::string>&,
                                                 const std::string&) const;
template command_option command_line::add_option(const std::string&, std::optional<std::filesystem::path>&,
                                                 const std::string&) const;
template command_option command_line::add_option(const std::string&, std::optional<int>&, const std::string&) const;
template command_option command_line::add_option(const std::string&, std::optional<std::int64_t>&,
                                                 const std::string&) const;
template command_option command_line::add_option(const std::string&, std::vector<std::string>&,
                                                 const std::string&) const;

command_option command_line::add_choice(const std::string& name, const std::function<void(int)>& choose,
                                        const std::map<std::string, int>& words, const std::string& type,
                                        const std::string& help) const {
  // CLI11's own transformer would take the numbers too.
  const auto problem_with = [words](const std::string& given) {
    if (words.contains(given)) return std::string{};
    std::string all;
    for (const auto& [word, number] : words) all += (all.empty() ? "" : ", ") + word;
    return '"' + given + "\" is none of " + all;
  };
  const auto read = [choose, words](const std::string& given) { choose(words.at(given)); };
  return command_option{one_->add_option_function<std::string>(name, read, help)->check(problem_with)->type_name(type)};
}

command_option command_line::add_flag(const std::string& name, bool& into, const std::string& help) const {
  return command_option{one_->add_flag(name, into, help)};
}

command_option command_line::add_flag(const std::string& name, std::string& into, const std::string& help) const {
  return command_option{one_->add_flag(name, into, help)};
}

void command_line::needs_command() const {
  one_->require_subcommand(1);
  one_->fallthrough();
}

void command_line::takes_rest() const {
  one_->fallthrough(false)->prefix_command();
}

std::vector<std::string> command_line::rest() const {
  std::vector<std::string> words = one_->remaining();
  if (!words.empty() && words.front() == rest_mark) words.erase(words.begin());
  return words;
}

void command_line::calls(std::function<void()> what) const {
  one_->callback(std::move(what));
}

program::program(const std::string& name, const std::string& version, const std::string& help, const std::string& end)
    : all_{std::make_unique<CLI::App>(help, name)} {
  all_->set_version_flag("--version", name + " " + version, "Say which version this is");
  all_->require_subcommand(1);
  all_->failure_message(CLI::FailureMessage::help);
  all_->footer(end);  // commands inherit it when they are added
}

program::~program() = default;

bool program::run(int count, char** arguments) const {
  try {
    std::vector<std::string> words = words_of(*all_, count, arguments);
    std::ranges::reverse(words);
    all_->parse(std::move(words));
  } catch (const CLI::ParseError& refused) {
    if (refused.get_exit_code() != 0) expect_command(*all_);
    // Standard error is not written through std::cerr: see write_error().
    std::ostringstream asked_for;
    std::ostringstream problem;
    const bool is_good = all_->exit(refused, asked_for, problem) == 0;
    write_error(problem.str());
    write_output(asked_for.str());
    return is_good;
  }
  return true;
}

}  // namespace cli
