#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "cli/standard_streams.hpp"

namespace cli {

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
  return command_option{one_->add_option_function<int>(name, choose, help)
                            ->transform(CLI::CheckedTransformer(words).description(""))
                            ->type_name(type)};
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
  return one_->remaining();
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
    all_->parse(count, arguments);
  } catch (const CLI::ParseError& refused) {
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
