#include "render/renderer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace render {

std::string without_end(std::string text) {
  text.resize(text.find_last_not_of('\n') + 1);
  return text;
}

namespace {

/// Without blank lines at either end, one at most in between, and without the last line end: the file that places an
/// object says what is around it.
void trim(std::string& text) {
  text = without_end(std::move(text));
  text.erase(0, text.find_first_not_of('\n'));
  for (auto gap = text.find("\n\n\n"); gap != std::string::npos; gap = text.find("\n\n\n", gap)) {
    text.erase(gap + 2, text.find_first_not_of('\n', gap) - gap - 2);
  }
}

}  // namespace

rendered_objects::rendered_objects(renderer& from, std::string_view folder, const view& view)
    : from_{from}, folder_{folder}, view_{view} {
  for (auto& [name, parsed] : from_.by_folder_[folder_]) {
    auto& text = texts_[name];
    parsed.render(view_, text);
    trim(text);
  }
}

std::string rendered_objects::file(std::string_view name) {
  const auto place = from_.files_.find(fmt::format("{}{}.sql.mustache", folder_, name));
  assert(place != from_.files_.end());
  std::string frame;
  place->second.render(view_, frame);
  return assemble(frame);
}

const std::string& rendered_objects::text(std::string_view name) const {
  const auto place = texts_.find(name);
  assert(place != texts_.end());
  return place->second;
}

void rendered_objects::add(std::string_view name, std::string text) {
  trim(text);
  texts_.insert_or_assign(std::string{name}, std::move(text));
}

std::string rendered_objects::assemble(std::string_view frame) const {
  std::size_t size = frame.size();
  for (const auto& [name, text] : texts_) size += text.size();
  std::string result;
  result.reserve(size);
  while (!frame.empty()) {
    const auto mark = std::min(frame.find(object_mark), frame.size());
    // An object that is empty leaves no gap.
    for (const char c : frame.substr(0, mark)) {
      if (c != '\n' || !(result.empty() || result.ends_with("\n\n"))) result += c;
    }
    frame.remove_prefix(mark);
    if (frame.empty()) break;
    const auto end = frame.find(object_mark, 1);
    result += texts_.find(frame.substr(1, end - 1))->second;
    frame.remove_prefix(end + 1);
  }
  return without_end(std::move(result)) + '\n';
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
  switch (folder) {
    case sql_folder::core:
      return {*this, "sql/core/", view};
    case sql_folder::queue:
      return {*this, "sql/queue/", view};
    case sql_folder::version:
      return {*this, "sql/version/", view};
    case sql_folder::stream:
      return {*this, "sql/stream/", view};
    case sql_folder::stream_version:
      return {*this, "sql/stream_version/", view};
  }
  assert(false);
  return {*this, "", view};
}

std::string renderer::text(std::string_view name, const view& view) {
  const auto place = files_.find(fmt::format("{}.sql.mustache", name));
  assert(place != files_.end());
  std::string text;
  place->second.render(engine_view{view}, text);
  trim(text);
  return text;
}

}  // namespace render
