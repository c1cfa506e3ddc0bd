#include "render/templates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <stdexcept>

#include "render/views.hpp"
#include "text/file.hpp"
#include "text/suggestion.hpp"

namespace render {

namespace {

namespace fs = std::filesystem;

/// A project in which every value, flag and list of the views has something to show.
declaration::project specimen() {
  declaration::field field;
  field.name = "recipient";
  field.doc = "Where to.";
  field.type.base = declaration::base_type::enumeration;
  field.type.enumeration = "channel";
  field.constraints.max_length = 320;
  declaration::queue queue;
  queue.name = "email";
  queue.doc = "Mail.";
  queue.grants = {{"web"}, {"mailer"}, {"ops"}};
  queue.payload = {field};
  return {"shop", "shop", "shop", 14, {{"channel", "How.", {"email"}, {}}}, {queue}};
}

std::string_view folder_of(std::string_view template_name) {
  return template_name.substr(0, template_name.rfind('/') + 1);
}

std::set<std::string> objects_beside(std::string_view template_name, const std::vector<template_source>& sources) {
  std::set<std::string> objects;
  for (const auto& [name, source, file] : sources) {
    if (folder_of(name) == folder_of(template_name) && !is_file_template(name)) objects.emplace(object_name(name));
  }
  return objects;
}

std::string with_line_feeds(std::string content) {
  for (auto at = content.find("\r\n"); at != std::string::npos; at = content.find("\r\n", at)) content.erase(at, 1);
  return content;
}

template_source* find(std::vector<template_source>& sources, std::string_view name) {
  const auto has_name = [&](const template_source& source) { return source.name == name; };
  const auto place = std::find_if(sources.begin(), sources.end(), has_name);
  return place == sources.end() ? nullptr : &*place;
}

[[noreturn]] void refuse_unknown(const fs::path& file, std::string_view name,
                                 const std::vector<template_source>& sources) {
  std::vector<std::string_view> names;
  for (const auto& source : sources) names.push_back(source.name);
  const auto nearest = text::nearest_name(name, names);
  throw std::runtime_error{fmt::format("{} is no template of Quern{}", file.string(),
                                       nearest ? fmt::format("; did you mean {}?", *nearest)
                                               : "; a directory of templates holds nothing but replacements for them")};
}

/// Files whose names begin with a dot belong to editors and version control.
bool is_hidden(const fs::path& relative) {
  return std::any_of(relative.begin(), relative.end(),
                     [](const fs::path& part) { return part.string().starts_with('.'); });
}

void replace(std::vector<template_source>& sources, const fs::path& directory, const fs::path& file) {
  const auto relative = file.lexically_relative(directory);
  if (is_hidden(relative)) return;
  const auto name = relative.generic_string();
  auto* place = find(sources, name);
  if (place == nullptr) refuse_unknown(file, name, sources);
  auto read = text::read_source(file);
  if (!read.content) throw std::runtime_error{fmt::format("{}: {}", file.string(), read.problem->message)};
  read.content->content = with_line_feeds(std::move(read.content->content));
  *place = {name, *std::move(read.content), file};
}

}  // namespace

shape provided_to(std::string_view template_name) {
  const auto project = specimen();
  const versioned_queue queue{&project.queues[0], 1, ""};
  const auto& enumeration = project.enumerations[0];
  if (template_name.starts_with("sql/core/")) return shape_of(core_view(project, {queue}, {&enumeration}, ""));
  if (template_name.starts_with("sql/queue/")) return shape_of(queue_view(project, queue));
  if (template_name == "cpp/enum.hpp.mustache") return shape_of(enumeration_header_view(project, enumeration));
  assert(template_name == "cpp/queue.hpp.mustache");
  return shape_of(queue_header_view(project, queue, "shop"));
}

bool is_file_template(std::string_view template_name) {
  constexpr std::array files{"migration", "extension", "definition"};
  return template_name.starts_with("cpp/") ||
         std::find(files.begin(), files.end(), object_name(template_name)) != files.end();
}

std::string_view object_name(std::string_view template_name) {
  const auto file = template_name.substr(folder_of(template_name).size());
  return file.substr(0, file.find('.'));
}

std::vector<template_source> load_templates(const std::optional<fs::path>& directory) {
  std::vector<template_source> sources;
  for (const auto& [name, text] : embedded_templates()) {
    sources.push_back({std::string{name}, {fmt::format("templates/{}", name), std::string{text}}, {}});
  }
  if (!directory) return sources;
  if (!fs::is_directory(*directory)) {
    throw std::runtime_error{fmt::format("the directory of templates {} does not exist", directory->string())};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator{*directory}) {
    if (!entry.is_directory()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) replace(sources, *directory, file);
  return sources;
}

template_set check_templates(const std::vector<template_source>& sources) {
  template_set result;
  for (const auto& [name, source, file] : sources) {
    const bool places_objects = is_file_template(name);
    auto checked = check_template(source, provided_to(name),
                                  places_objects ? objects_beside(name, sources) : std::set<std::string>{});
    if (!checked.diagnostics.empty()) result.problems.push_back({source, checked.diagnostics});
    result.all.emplace(name, std::move(checked));
  }
  return result;
}

}  // namespace render
