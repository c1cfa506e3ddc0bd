#include "render/renderer.hpp"

#include <fmt/format.h>

#include <cassert>

namespace render {

namespace {

/// Without blank lines at either end, and without the last line end: the file that places an object says what is
/// around.
std::string_view trimmed(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

/// One blank line where an object that is empty leaves two, none at the ends, one line end at the last line.
std::string without_gaps(std::string text) {
  text.resize(trimmed(text).data() + trimmed(text).size() - text.data());
  text.erase(0, text.size() - trimmed(text).size());
  for (auto gap = text.find("\n\n\n"); gap != std::string::npos; gap = text.find("\n\n\n", gap)) {
    text.erase(gap + 2, text.find_first_not_of('\n', gap) - gap - 2);
  }
  return std::move(text += '\n');
}

}  // namespace

rendered_objects::rendered_objects(renderer& from, std::string_view folder, const view& view)
    : from_{from}, folder_{folder}, view_{view} {
  std::string text;
  for (auto& [name, parsed] : from_.by_folder_[folder_]) {
    text.clear();
    parsed.render(view_, text);
    view_.set_object(name, std::string{trimmed(text)});
  }
}

std::string rendered_objects::file(std::string_view name) {
  const auto place = from_.files_.find(fmt::format("{}{}.sql.mustache", folder_, name));
  assert(place != from_.files_.end());
  std::string text;
  place->second.render(view_, text);
  return without_gaps(std::move(text));
}

renderer::renderer(const template_set& templates) {
  for (const auto& [name, checked] : templates.all) {
    engine_template parsed{checked.text};
    if (is_file_template(name)) {
      files_.emplace(name, std::move(parsed));
    } else {
      by_folder_[name.substr(0, name.rfind('/') + 1)].push_back({std::string{object_name(name)}, std::move(parsed)});
    }
  }
}

std::string renderer::header(std::string_view name, const view& view) {
  const auto place = files_.find(fmt::format("cpp/{}.hpp.mustache", name));
  assert(place != files_.end());
  std::string text;
  place->second.render(engine_view{view}, text);
  return text;
}

rendered_objects renderer::open(sql_folder folder, const view& view) {
  return {*this, folder == sql_folder::core ? "sql/core/" : "sql/queue/", view};
}

}  // namespace render
