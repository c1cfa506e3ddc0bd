#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

#include "check/project.hpp"
#include "migrate/parse.hpp"
#include "migrate/statements.hpp"
#include "render/file_system.hpp"
#include "render/parallel.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

bool is_name(std::string_view text) {
  const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && std::ranges::all_of(text, is_part);
}

/// NNNN_<name>.sql: the number and the name; a number of 0 when the file is not named like that.
std::pair<int, std::string> parse_file_name(std::string_view file) {
  constexpr std::string_view ending = ".sql";
  if (!file.ends_with(ending)) return {};
  file.remove_suffix(ending.size());
  int number = 0;
  const auto read = std::from_chars(file.data(), file.data() + file.size(), number);
  const std::size_t digits = static_cast<std::size_t>(read.ptr - file.data());
  const std::string name{file.substr(std::min(digits + 1, file.size()))};
  // Written back it has to be the same: 0001, not 00001.
  if (read.ec != std::errc{} || number < 1 || !is_name(name) || file != fmt::format("{:04}_{}", number, name))
    return {};
  return {number, name};
}

/// What one directory of a line holds.
struct listed_line {
  std::vector<line_file> migrations{};
  std::vector<line_file> hooks{};
  std::vector<std::pair<std::string, text::diagnostic>> problems{};
};

class line_lister {
 public:
  line_lister(const fs::path& directory, std::string line) : directory_{directory}, line_{std::move(line)} {}

  listed_line run() {
    for (const fs::directory_entry& entry : fs::directory_iterator{directory_}) {
      const std::string file = entry.path().filename().string();
      // What an interrupted run of the generator left behind is its own to remove.
      if (render::file_system::is_unfinished(entry.path().filename())) continue;
      if (file == "hooks" && entry.is_directory()) {
        list_hooks(entry.path());
      } else {
        add(entry, file);
      }
    }
    return std::move(made_);
  }

 private:
  void add(const fs::directory_entry& entry, const std::string& file) {
    const auto [number, name] = parse_file_name(file);
    if (number == 0 || !entry.is_regular_file())
      return refuse(entry.path(), "foreign_file", "this is no migration: they are named NNNN_<name>.sql",
                    "move it out of the directory; SQL of your own goes into hooks/NNNN_after.sql");
    made_.migrations.push_back({fmt::format("{}/{}", line_, file), line_, number, entry.path()});
  }

  void list_hooks(const fs::path& directory) {
    for (const fs::directory_entry& entry : fs::directory_iterator{directory}) {
      const std::string file = entry.path().filename().string();
      const auto [number, name] = parse_file_name(file);
      if (number == 0 || !entry.is_regular_file() || (name != "before" && name != "after")) {
        refuse(entry.path(), "hook_name", "this is no hook: they are named NNNN_before.sql and NNNN_after.sql",
               "rename it; under this name it is never applied");
      } else {
        made_.hooks.push_back({fmt::format("{}/hooks/{}", line_, file), line_, number, entry.path()});
      }
    }
  }

  void refuse(const fs::path& file, std::string_view code, std::string message, std::string help) {
    made_.problems.emplace_back(file.string(), problem(code, std::move(message), std::move(help)));
  }

  const fs::path& directory_;
  std::string line_;
  listed_line made_;
};

class migration_reader {
 public:
  migration_reader(project& of, const contract::lock& trusted, report& found) : of_{of}, found_{found} {
    for (const contract::line& line : trusted.lines)
      for (const contract::migration& one : line.migrations) trusted_.insert(one.checksum);
  }

  void run() {
    if (!fs::is_directory(of_.where.migrations)) return;
    list();
    read();
    for (read_migration& one : of_.migrations)
      for (text::diagnostic& each : one.problems) found_.add(name::migrations, one.file.path.string(), std::move(each));
    // Without a lock, none of them is known: that is one finding, not one for each.
    if (of_.lock && of_.lock_source) compare();
  }

 private:
  void list() {
    std::vector<fs::path> directories;
    for (const fs::directory_entry& entry : fs::directory_iterator{of_.where.migrations}) {
      const std::string line = entry.path().filename().string();
      // adopted.json is what `quern adopt` keeps.
      if (line == "quern.lock" || line == "adopted.json" || line.starts_with('.')) continue;
      if (entry.is_directory() && is_name(line)) {
        directories.push_back(entry.path());
      } else {
        found_.add(name::migrations, entry.path().string(),
                   problem("foreign_file", "this is no line of migrations: those are directories named like a queue",
                           "move it out of the directory"));
      }
    }
    for (const fs::path& directory : directories) {
      listed_line listed = line_lister{directory, directory.filename().string()}.run();
      for (line_file& one : listed.migrations) of_.migrations.push_back({std::move(one), {}, {}});
      for (line_file& one : listed.hooks) of_.hooks.push_back(std::move(one));
      for (auto& [file, one] : listed.problems)
        found_.add(one.code == "hook_name" ? name::hooks : name::migrations, file, std::move(one));
    }
    std::ranges::sort(
        of_.migrations, {}, [](const read_migration& one) -> const auto& { return one.file.name; });
    std::ranges::sort(of_.hooks, {}, &line_file::name);
  }

  void read() {
    render::for_each_index(
        of_.migrations.size(), [] { return 0; }, [this](int, std::size_t i) { read_one(of_.migrations[i]); });
  }

  void read_one(read_migration& one) {
    const auto content = render::file_system::read(one.file.path);
    if (!content) return one.problems.push_back(problem("unreadable_file", "the file cannot be read", ""));
    migrate::migration made{.line = one.file.line, .number = one.file.number, .file = one.file.path};
    made.name = one.file.path.stem().string().substr(fmt::format("{:04}_", one.file.number).size());
    std::vector<migrate::problem> problems;
    migrate::parse_migration(*content, made, problems);
    one.checksum = made.checksum;
    if (problems.empty() && !trusted_.contains(made.checksum)) problems = migrate::check_statements(made);
    if (problems.empty()) return;
    const text::line_index lines{*content};
    for (const migrate::problem& each : problems) {
      const auto line = static_cast<std::size_t>(each.line);
      one.problems.push_back(
          problem("migration_malformed", each.words, "take it from version control again",
                  line == 0 ? text::span{} : text::span{{line, 1}, {line, lines.line(line).size() + 1}}));
    }
    const std::lock_guard guard{sources_};
    found_.sources.emplace(one.file.path.string(), text::source{one.file.path.string(), *content});
  }

  /// What the lock says, by the names of the files.
  void compare() {
    std::map<std::string, const contract::migration*> locked;
    for (const contract::line& line : of_.lock->lines)
      for (const contract::migration& one : line.migrations)
        locked.emplace(fmt::format("{}/{}", line.name, one.file), &one);
    std::vector<const read_migration*> unknown;
    for (const read_migration& one : of_.migrations) {
      const auto place = locked.find(one.file.name);
      if (place == locked.end()) {
        unknown.push_back(&one);
      } else if (!one.checksum.empty() && place->second->checksum != one.checksum) {
        report_edited(one);
      }
      if (place != locked.end()) locked.erase(place);
    }
    report_unknown(unknown, locked);
    for (const auto& [name, what] : locked) report_missing(name, *what);
  }

  void report_edited(const read_migration& one) {
    found_.add(name::migrations, one.file.path.string(),
               problem("migration_edited", "this is not the text that the lock knows: a migration never changes",
                       "take it from version control again, and change the declaration instead"));
  }

  /// A file of another name with the text of one that is missing was renamed.
  void report_unknown(const std::vector<const read_migration*>& unknown,
                      std::map<std::string, const contract::migration*>& missing) {
    for (const read_migration* one : unknown) {
      const auto same = std::ranges::find_if(missing, [&](const auto& each) {
        return each.first.starts_with(one->file.line + "/") && is_same_text(*one, each.first, each.second->checksum);
      });
      if (same != missing.end()) {
        found_.add(name::migrations, one->file.path.string(),
                   problem("migration_renamed", fmt::format("the lock knows this migration as {}", same->first),
                           "give the file its old name: databases know it under that one"));
        missing.erase(same);
      } else {
        found_.add(name::migrations, one->file.path.string(),
                   problem("migration_unknown", "the lock does not know this migration, so that it is never applied",
                           "after a merge, take the lock of the side that has it; if it was never applied, remove it"));
      }
    }
  }

  /// The first line of a migration says its name, so that one which was renamed and mended differs in it.
  bool is_same_text(const read_migration& one, const std::string& name, const std::string& checksum) const {
    if (one.checksum == checksum) return true;
    const auto content = render::file_system::read(one.file.path);
    if (!content) return false;
    const std::string normal = migrate::with_line_feeds(*content);
    const std::size_t end = std::min(normal.find('\n'), normal.size());
    const std::string title = name.substr(0, name.size() - 4);
    return migrate::sha256(fmt::format("-- quern migration: {}{}", title, normal.substr(end))) == checksum;
  }

  void report_missing(const std::string& name, const contract::migration& what) {
    const std::string line = name.substr(0, name.find('/'));
    found_.add(name::migrations, of_.lock_source->name,
               problem("migration_missing", fmt::format("{} is missing", (of_.where.migrations / name).string()),
                       "take it from version control again", place_in_lock(*of_.lock_source, line, what.file)));
  }

  project& of_;
  report& found_;
  std::unordered_set<std::string> trusted_;
  std::mutex sources_;
};

}  // namespace

void read_migrations(project& of, const contract::lock& trusted, report& found) {
  migration_reader{of, trusted, found}.run();
}

}  // namespace check
