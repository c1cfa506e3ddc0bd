#include "render/migration_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "contract/sha256.hpp"
#include "render/artefact_files.hpp"
#include "render/parallel.hpp"

namespace render {

namespace {

namespace fs = std::filesystem;
using file_system::kind;
using file_system::kind_of;

constexpr auto no_state = [] { return 0; };

std::string without_carriage_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

/// Compares the migrations. They are history: a file that is there is never changed.
class migration_files {
 public:
  migration_files(const fs::path& root, const generation& wanted) : root_{root}, wanted_{wanted}, directories_{root} {
    for (const auto& file : wanted.migrations) new_files_.emplace(file.path, &file);
    for (const auto& file : wanted.drafts_before) drafts_.emplace(file.path, &file);
  }

  void compare(comparison& result) {
    compare_released(result);
    for (const auto& file : wanted_.migrations) compare_new(result, file);
    for (const auto& file : wanted_.drafts_before) find_outdated(result, file);
    find_unknown(result);
    refuse_without_lock(result);
    compare_lock(result);
  }

 private:
  void compare_released(comparison& result) {
    struct released {
      std::string path;
      const std::string* checksum;
      std::string problem;
    };

    std::vector<released> all;
    for (const auto& line : wanted_.lock.lines) {
      for (const auto& [file, checksum] : line.migrations) {
        auto path = fmt::format("{}/{}", line.name, file);
        known_.insert(path);
        if (!new_files_.contains(path)) all.push_back({std::move(path), &checksum, {}});
      }
    }
    for_each_index(all.size(), no_state, [&](int, std::size_t i) {
      const auto content = file_system::read(root_ / all[i].path);
      if (!content) {
        all[i].problem = "is missing; the lock says that it was generated: take it from version control again";
      } else if (contract::checksum(*content) != *all[i].checksum) {
        all[i].problem = "was edited; it may have been applied as it was: take it from version control again";
      }
    });
    for (const auto& [path, checksum, problem] : all) {
      if (!problem.empty()) refuse(result, root_ / path, problem);
    }
  }

  void compare_new(comparison& result, const output_file& file) {
    const auto path = root_ / file.path;
    if (const auto obstacle = directories_.obstacle(file.path)) {
      result.problems.push_back(
          {output_problem::kind::foreign, fmt::format("{} is in the way: it is no directory", obstacle->string())});
      return;
    }
    const auto is = kind_of(path);
    if (is == kind::missing) {
      result.migrations.push_back({change_kind::add, path, &file.text, false});
    } else if (is != kind::regular) {
      result.problems.push_back(
          {output_problem::kind::foreign, fmt::format("{} is in the way: it is {}", path.string(), name_of(is))});
    } else {
      compare_present(result, file, contract::checksum(*file_system::read(path)));
    }
  }

  /// What stands where a draft belongs may be an earlier draft, as it was generated.
  void compare_present(comparison& result, const output_file& file, const std::string& present) {
    if (present == contract::sha256(file.text)) return;
    const auto path = root_ / file.path;
    const auto draft = drafts_.find(file.path);
    if (!has_lock_) {
      strangers_.insert(path);
    } else if (draft == drafts_.end()) {
      refuse(result, path,
             "exists, is not in the lock, and differs from what would be written there; if it was never applied, "
             "remove it");
    } else if (draft->second->text == present) {
      result.migrations.push_back({change_kind::change, path, &file.text, false});
    } else {
      refuse(result, path, edited_draft);
    }
  }

  /// A draft that is none any more.
  void find_outdated(comparison& result, const output_file& draft) {
    if (new_files_.contains(draft.path) || known_.contains(draft.path)) return;
    const auto path = root_ / draft.path;
    if (directories_.obstacle(draft.path) || kind_of(path) != kind::regular) return;
    if (contract::checksum(*file_system::read(path)) == draft.text) {
      result.migrations.push_back({change_kind::remove, path, nullptr, false});
    } else {
      refuse(result, path, edited_draft);
    }
  }

  static constexpr std::string_view edited_draft =
      "is a draft that was edited by hand; SQL of your own belongs into hooks/ beside it: remove the file, and it is "
      "generated again";

  void find_unknown(comparison& result) {
    if (kind_of(root_) == kind::missing) return;
    std::set<fs::path> unknown;
    for (const auto& line : fs::directory_iterator{root_}) {
      if (!line.is_directory() || line.path().filename().string().starts_with('.')) continue;
      for (const auto& file : fs::directory_iterator{line.path()}) {
        const auto path = fmt::format("{}/{}", line.path().filename().string(), file.path().filename().string());
        if (path.ends_with(".sql") && !known_.contains(path) && !drafts_.contains(path)) unknown.insert(file.path());
      }
    }
    if (!has_lock_) return strangers_.merge(unknown);
    for (const auto& path : unknown) {
      refuse(result, path,
             "is not in the lock; after a merge, take the lock of the side that has it; if it was never applied, "
             "remove it");
    }
  }

  /// A run that was interrupted leaves what is written again; anything else is history, and only its lock knows which.
  void refuse_without_lock(comparison& result) const {
    if (strangers_.empty()) return;
    const auto first = strangers_.begin()->lexically_relative(root_).generic_string();
    refuse(result, root_ / lock_name,
           fmt::format("is missing, and {}{} not what a new project begins with: take the lock from version control "
                       "again; if none of the migrations was ever applied, remove them",
                       first, strangers_.size() == 1 ? " is" : fmt::format(" and {} more are", strangers_.size() - 1)));
  }

  void compare_lock(comparison& result) const {
    const auto path = root_ / lock_name;
    const auto present = file_system::read(path);
    if (present && without_carriage_returns(*present) == wanted_.lock_text) return;
    result.migrations.push_back({present ? change_kind::change : change_kind::add, path, &wanted_.lock_text, false});
  }

  static void refuse(comparison& result, const fs::path& path, std::string_view why) {
    result.problems.push_back({output_problem::kind::history, fmt::format("{} {}", path.string(), why)});
  }

  const fs::path& root_;
  const generation& wanted_;
  inner_directories directories_;
  std::unordered_map<std::string, const output_file*> new_files_;
  std::unordered_map<std::string, const output_file*> drafts_;  // of the lock as it is, with their checksums
  std::set<std::string> known_;
  bool has_lock_ = kind_of(root_ / lock_name) != kind::missing;
  std::set<fs::path> strangers_{};  // where there is no lock: what it would have to know
};

/// Removes what an interrupted run has left beside the files that it was writing; there is no list of them.
void remove_unfinished_migrations(const fs::path& root) {
  file_system::remove_unfinished(root / lock_name);
  for (const auto& line : fs::directory_iterator{root}) {
    if (line.is_symlink() || !line.is_directory()) continue;
    std::vector<fs::path> unfinished;
    for (const auto& file : fs::directory_iterator{line.path()}) {
      if (file_system::is_unfinished(file.path())) unfinished.push_back(file.path());
    }
    for (const auto& file : unfinished) file_system::remove(file);
    if (!unfinished.empty()) file_system::remove_if_empty(line.path());
  }
}

}  // namespace

bool has_migrations(const fs::path& root) {
  if (kind_of(root) == kind::missing) return false;
  for (const auto& line : fs::directory_iterator{root}) {
    if (!line.is_directory() || line.path().filename().string().starts_with('.')) continue;
    for (const auto& file : fs::directory_iterator{line.path()})
      if (file.path().extension() == ".sql") return true;
  }
  return false;
}

void compare_migrations(const generation& wanted, const fs::path& root, comparison& result) {
  migration_files{root, wanted}.compare(result);
}

void write_migrations(const comparison& differences, const fs::path& root) {
  remove_unfinished_migrations(root);
  auto migrations = differences.migrations;
  const auto is_lock = [](const file_change& change) { return change.file.filename() == lock_name; };
  std::erase_if(migrations, is_lock);
  write_texts(migrations);
  remove_files(migrations, root);
}

}  // namespace render
