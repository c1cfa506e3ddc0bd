#include "render/artefact_files.hpp"

#include <set>
#include <utility>

#include "render/parallel.hpp"

namespace render {

namespace fs = std::filesystem;
using file_system::kind;

namespace {

constexpr auto no_state = [] { return 0; };

}  // namespace

std::string_view name_of(kind is) {
  return is == kind::directory ? "a directory" : "a symbolic link or special file";
}

inner_directories::inner_directories(fs::path root) : root_{std::move(root)} {}

std::optional<fs::path> inner_directories::obstacle(const fs::path& relative) {
  auto directory = root_;
  for (const auto& part : relative.parent_path()) {
    directory /= part;
    const auto [place, is_new] = known_.try_emplace(directory.string(), kind::missing);
    if (is_new) place->second = file_system::kind_of(directory);
    if (place->second == kind::missing) return std::nullopt;
    if (place->second != kind::directory) return directory;
  }
  return std::nullopt;
}

void write_texts(const std::vector<file_change>& changes) {
  std::set<fs::path> directories;
  for (const auto& change : changes) {
    if (change.kind == change_kind::add) directories.insert(change.file.parent_path());
  }
  const std::vector<fs::path> all{directories.begin(), directories.end()};
  for_each_index(all.size(), no_state, [&](int, std::size_t i) { file_system::make_directory(all[i]); });
  for_each_index(changes.size(), no_state, [&](int, std::size_t i) {
    if (changes[i].text != nullptr) file_system::write(changes[i].file, *changes[i].text);
  });
}

void remove_files(const std::vector<file_change>& changes, const fs::path& root) {
  for (const auto& change : changes) {
    if (change.kind != change_kind::remove) continue;
    file_system::remove(change.file);
    for (auto directory = change.file.parent_path(); directory != root && directory.has_relative_path();
         directory = directory.parent_path()) {
      file_system::remove_if_empty(directory);
    }
  }
}

}  // namespace render
