// quern embed: the migrations as C++, for a program that migrates its own database.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/depfile.hpp"
#include "cli/migrations.hpp"
#include "cli/terminal.hpp"
#include "migrate/embedded.hpp"
#include "render/file_system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
namespace file_system = render::file_system;

struct embed_arguments {
  fs::path migrations = "migrations";
  std::string name_space{};
  fs::path out{};
  std::optional<fs::path> depfile{};
  bool is_released_only = false;
};

// Equal content stays untouched: nobody is compiled again for it.
void write_if_changed(const fs::path& file, const std::string& text) {
  if (file_system::read(file) == text) return;
  file_system::make_directory(file.parent_path());
  file_system::write(file, text);
  say(fmt::format("wrote {}", file.string()));
}

// Directories too: they change when a file comes or goes.
std::vector<fs::path> inputs_in(const fs::path& root) {
  std::vector<fs::path> inputs{root};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{root}) inputs.push_back(entry.path());
  std::ranges::sort(inputs);
  return inputs;
}

exit_code run(const embed_arguments& given) try {
  checked_migrations migrations = read_migrations(given.migrations);
  handle_drafts(migrations, given.is_released_only);
  const fs::path header = fs::absolute(given.out);
  if (header.extension() != ".hpp")
    throw failure{exit_code::usage, "--out names the header, a file *.hpp; the source is written beside it"};
  const std::string name_space = given.name_space.empty() ? migrations.schema : given.name_space;
  const migrate::embedded_source made =
      migrate::embed(migrations.files, migrations.schema, name_space, header.filename().string(), migrations.drafts);
  write_if_changed(header, made.header);
  write_if_changed(fs::path{header}.replace_extension(".cpp"), made.source);
  if (given.depfile) write_depfile(*given.depfile, inputs_in(given.migrations));
  return exit_code::done;

} catch (const std::runtime_error& failed) {
  throw failure{exit_code::input_wrong, failed.what()};
}

std::string problem_with_namespace(const std::string& text) {
  const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ':'; };
  const bool is_name =
      !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, is_part);
  return is_name ? "" : "a namespace is a name like shop or my::shop";
}

}  // namespace

void add_embed(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<embed_arguments>();
  const command_line command = program.add_command(
      "embed", "Write the migrations as C++, for quern::migrate() and quern::verify(); needs no database");
  command.add_option("--migrations", given->migrations, "Their directory").shows_default();
  command.add_option("--namespace", given->name_space, "The C++ namespace of migrations() (default: the schema)")
      .check(problem_with_namespace);
  command.add_option("--out", given->out, "The header FILE.hpp; the source FILE.cpp is written beside it").required();
  command.add_option("--depfile", given->depfile,
                     "Write what was read as a rule of Make or Ninja; its target is FILE without `.d`");
  command.add_flag("--released", given->is_released_only, "Leave drafts out: their texts may still change");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
