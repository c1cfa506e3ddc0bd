#include "render/templates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <stdexcept>

#include "render/step.hpp"
#include "render/views.hpp"
#include "text/file.hpp"
#include "text/suggestion.hpp"

namespace render {

namespace {

namespace fs = std::filesystem;

/// A queue in which every value, flag and list of the views has something to show.
struct specimen {
  specimen() {
    contract::payload_contract first{
        .queue = "email",
        .fields = {
            {.name = "recipient", .type = "channel", .max_length = 320, .values = {"email"}, .column = "recipient"}}};
    first.unique = contract::unique_rule{{"recipient"}};
    auto second = first;
    second.version = 2;
    second.queue = "mail";
    second.priorities = 2;
    second.priority_column = "priority";
    second.has_headers = true;
    auto third = second;
    third.version = 3;
    state = {{first, second, third},
             {{"doc", "Mail."},
              {"expires", "1h"},
              {"keep_done", "7d"},
              {"ordered_by", "recipient"},
              {"concurrency.queue", "20"},
              {"rate.count", "100"},
              {"rate.per", "1s"},
              {"rate.burst", "10"},
              {"payload.recipient.doc", "Where to."}},
             false};
    enumerations = {{"channel", "How.", {"email"}}};
    model = model_of({"shop", "shop"}, "email", state, enumerations);
    for (auto& version : model.versions) version.queue.grants = {{"web"}, {"mailer"}, {"ops"}};
  }

  contract::queue_state state;
  std::vector<contract::locked_enumeration> enumerations;
  queue_model model;
};

std::string_view folder_of(std::string_view template_name) {
  return template_name.substr(0, template_name.rfind('/') + 1);
}

std::set<std::string> objects_beside(std::string_view template_name, const std::vector<template_source>& sources) {
  std::set<std::string> objects;
  for (const auto& [name, source, file] : sources) {
    if (folder_of(name) == folder_of(template_name) && !is_file_template(name)) objects.emplace(object_name(name));
  }
  // Those of all live contracts, and those under their other names.
  const auto folder = folder_of(template_name);
  if (folder == "sql/queue/" || folder == "sql/stream/") objects.insert({"versions", "others"});
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
  names.reserve(sources.size());
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
  if (find(sources, name) == nullptr && parse_engine_step(name).number != 0) sources.push_back({name, {}, {}});
  auto* place = find(sources, name);
  if (place == nullptr) refuse_unknown(file, name, sources);
  auto read = text::read_source(file);
  if (!read.content) throw std::runtime_error{fmt::format("{}: {}", file.string(), read.problem->message)};
  read.content->content = with_line_feeds(std::move(read.content->content));
  *place = {name, *std::move(read.content), file};
}

/// The list of engines, and whether the steps beside it are of engines that stand there.
void read_engines(template_set& into, const std::vector<template_source>& sources) {
  for (const auto& [name, source, file] : sources) {
    if (name != engine_log_name) continue;
    auto read = read_engine_log(source);
    into.engines = std::move(read.value);
    if (!read.diagnostics.empty()) into.problems.push_back({source, std::move(read.diagnostics)});
  }
  for (const auto& [name, source, file] : sources) {
    const auto number = parse_engine_step(name).number;
    if (number == 0 || (number > 1 && number <= into.engine())) continue;
    into.problems.push_back({source,
                             {{text::severity::error,
                               "engine_log",
                               fmt::format("these are steps to engine {}, and {} ends with engine {}", number,
                                           engine_log_name, into.engine()),
                               {},
                               fmt::format("say there what engine {} changes", number),
                               {}}}});
  }
}

}  // namespace

namespace {

shape provided_to_stream(std::string_view template_name, specimen one) {
  for (auto& version : one.model.versions) {
    version.queue.stream.emplace();
    auto& consumer = version.queue.stream->consumers.emplace_back();
    consumer.name = "audit";
    consumer.filter = "recipient is not null";
    consumer.order = declaration::ordering{.field = "recipient"};
  }
  const auto& model = one.model;
  if (template_name.starts_with("sql/stream/") || template_name.starts_with("sql/engine/"))
    return shape_of(shared_view(model, model.name()));
  if (template_name.starts_with("sql/stream_version/")) return shape_of(stream_version_view(model, model.newest()));
  if (template_name.starts_with("cpp/")) return shape_of(queue_header_view(model, "shop", "shop"));
  return shape_of(change_view(model, {2, "", "", "", {"note"}, {{"execute", "function f", "web"}}}));
}

}  // namespace

shape provided_to(std::string_view template_name) {
  const specimen one;
  const auto& model = one.model;
  if (template_name.starts_with("sql/core/") || template_name.starts_with("sql/engine/core_"))
    return shape_of(core_view({model.project, model.schema},
                              {{{"email", {"mail"}}}, {{"activity", {"news"}}}, {{"daily", {}}}}, one.enumerations));
  if (template_name.starts_with("sql/queue/")) return shape_of(shared_view(model, model.name()));
  if (template_name.starts_with("sql/version/")) return shape_of(version_view(model, model.newest()));
  if (template_name.starts_with("sql/stream") || template_name.starts_with("sql/engine/stream_") ||
      template_name.starts_with("cpp/stream"))
    return provided_to_stream(template_name, one);
  if (template_name == "sql/change/migration.sql.mustache")
    return shape_of(view_of({"", {""}, {"web"}, {migration_step{}}}));
  if (template_name.starts_with("sql/engine/queue_")) return shape_of(shared_view(model, model.name()));
  if (template_name.starts_with("sql/change/"))
    return shape_of(change_view(model, {2,
                                        "",
                                        "",
                                        "",
                                        {"note"},
                                        {"mail"},
                                        {{"execute", "function f", "web"}},
                                        {{"web", {{"f", "f", "_g"}}}},
                                        "",
                                        {1}}));
  if (template_name == "cpp/enum.hpp.mustache")
    return shape_of(enumeration_header_view({"shop", "shop"}, "shop", one.enumerations[0]));
  if (template_name == "cpp/former.hpp.mustache") return shape_of(former_header_view(model, "shop", "email"));
  assert(template_name == "cpp/queue.hpp.mustache");
  return shape_of(queue_header_view(model, "shop", "shop"));
}

bool is_file_template(std::string_view template_name) {
  constexpr std::array files{"create", "definition", "doors", "consumers", "producers", "schedule_job_end"};
  return template_name.starts_with("cpp/") || template_name.starts_with("sql/change/") ||
         template_name.starts_with("sql/stream_change/") || template_name.starts_with("sql/engine/") ||
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
  read_engines(result, sources);
  for (const auto& [name, source, file] : sources) {
    if (name == engine_log_name) continue;
    const bool places_objects = is_file_template(name);
    auto checked = check_template(source, provided_to(name),
                                  places_objects ? objects_beside(name, sources) : std::set<std::string>{});
    if (!checked.diagnostics.empty()) result.problems.push_back({source, checked.diagnostics});
    result.all.emplace(name, std::move(checked));
  }
  return result;
}

}  // namespace render
