#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "contract/counterpart.hpp"
#include "contract/queue_names.hpp"
#include "contract/types.hpp"
#include "render/cpp.hpp"
#include "render/limits.hpp"
#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"
#include "render/views.hpp"

namespace render {

namespace {

using declaration::field;

std::vector<view> items_of(std::string_view name, const std::vector<std::string>& texts) {
  std::vector<view> items(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) items[i].set(name, texts[i]);
  return items;
}

/// As they stand behind `///`.
std::vector<view> line_items(const std::vector<std::string>& lines) {
  std::vector<view> items(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) items[i].set("line", lines[i].empty() ? "" : " " + lines[i]);
  return items;
}

std::vector<std::string> doc_lines(const field& field) {
  auto lines = cpp::comment_lines(field.doc);
  for (auto& line : cpp::constraint_lines(field)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> enum_headers(const queue_model& model, std::string_view cpp_namespace) {
  std::set<std::string> headers;
  for (const auto& version : model.versions) {
    for (const auto& field : version.queue.payload) {
      if (field.type.base != declaration::base_type::enumeration) continue;
      headers.insert(fmt::format("{}/{}.hpp", namespace_path(cpp_namespace), field.type.enumeration));
    }
  }
  return {headers.begin(), headers.end()};
}

std::vector<view> field_items(const queue_version& version, const std::string& qualifier) {
  const bool is_stream = version.queue.stream.has_value();
  const auto& fields = fields_of(version.queue);
  std::vector<view> items(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto& item = items[i];
    item.set("name", fields[i].name);
    item.set("stored", cpp::escaped(sql::identifier(version.contract->fields[i].column)));
    item.set("parameter", "p_" + fields[i].name);
    item.set("type", cpp::type(fields[i].type, qualifier));
    item.set("initializer", cpp::initializer(fields[i], qualifier));
    item.set("number", fmt::to_string(i + 1));
    // Of a queue, the delay follows.
    if (is_stream) set_comma(item, i + 1 == fields.size());
    item.set_list("doc_lines", line_items(doc_lines(fields[i])));
  }
  return items;
}

std::vector<view> version_items(const queue_model& model, const std::string& qualifier) {
  std::vector<view> items;
  for (const auto& version : model.versions) {
    auto& item = items.emplace_back();
    item.set("queue", version.contract->queue);
    item.set("api", cpp::escaped(names::prefix(model.schema, version.contract->queue)));
    item.set("version", fmt::to_string(version.contract->version));
    item.set("fingerprint", version.fingerprint);
    item.set_flag("is_schemaless", version.contract->is_schemaless);
    if (!model.is_stream()) {
      item.set_flag("reports_duplicates", version.contract->unique.has_value());
      item.set("delay_number", fmt::to_string(fields_of(version.queue).size() + 1));
      item.set_flag("has_priorities", version.contract->priorities > 0);
      item.set("priority_count", fmt::to_string(version.contract->priorities));
      item.set("priority_number", fmt::to_string(fields_of(version.queue).size() + 2));
      item.set_flag("has_headers", version.contract->has_headers);
      item.set("headers_number",
               fmt::to_string(fields_of(version.queue).size() + (version.contract->priorities > 0 ? 3 : 2)));
      item.set("priority", version.contract->priority_column);
    }
    item.set_list("fields", field_items(version, qualifier));
    item.set_list("doc_lines", line_items(cpp::comment_lines(version.queue.doc)));
  }
  return items;
}

/// How a field of the newer contract comes out of the older one; nothing when it keeps its default.
struct assignment {
  bool is_possible = true;
  std::string expression;
};

assignment assign(const queue_model& model, const queue_version& from, const queue_version& to,
                  const contract::field& field) {
  const auto* before =
      contract::counterpart(model.state->contracts, to.contract->version, field, from.contract->version);
  if (before == nullptr) return {contract::is_optional(field) || field.default_value.has_value(), ""};
  const bool is_newly_required = contract::is_optional(*before) && !contract::is_optional(field);
  if (is_newly_required && !field.default_value) return {false, ""};
  if (contract::has_optional_elements(*before) && !contract::has_optional_elements(field)) return {false, ""};
  if (is_newly_required) {
    return {true,
            fmt::format("from.{0} ? quern::upgraded<decltype(to.{1})>(*from.{0}) : to.{1}", before->name, field.name)};
  }
  return {true, fmt::format("quern::upgraded<decltype(to.{})>(from.{})", field.name, before->name)};
}

/// From each live contract to the next one, where every message has its like.
std::vector<view> upgrade_items(const queue_model& model) {
  std::vector<view> items;
  for (std::size_t i = 0; i + 1 < model.versions.size(); ++i) {
    const auto& from = model.versions[i];
    const auto& to = model.versions[i + 1];
    if (from.contract->is_schemaless || to.contract->is_schemaless) continue;
    bool is_possible = true;
    std::vector<view> assignments;
    for (const auto& field : to.contract->fields) {
      const auto how = assign(model, from, to, field);
      is_possible = is_possible && how.is_possible;
      if (how.expression.empty()) continue;
      auto& item = assignments.emplace_back();
      item.set("name", field.name);
      item.set("expression", how.expression);
    }
    if (!is_possible) continue;
    auto& item = items.emplace_back();
    item.set("from", fmt::format("{}_v{}", from.contract->queue, from.contract->version));
    item.set("to", fmt::format("{}_v{}", to.contract->queue, to.contract->version));
    item.set("from_version", fmt::to_string(from.contract->version));
    item.set("to_version", fmt::to_string(to.contract->version));
    item.set_list("assignments", std::move(assignments));
  }
  return items;
}

/// What the other names of live contracts stand for: the newest contract that bears each.
std::vector<view> other_name_items(const queue_model& model) {
  std::vector<view> items;
  for (const auto& name : model.names) {
    if (name == model.name()) continue;
    const auto bears_it = [&](const queue_version& version) { return version.contract->queue == name; };
    const auto newest = std::find_if(model.versions.rbegin(), model.versions.rend(), bears_it);
    auto& item = items.emplace_back();
    item.set("queue", name);
    item.set("version", fmt::to_string(newest->contract->version));
  }
  return items;
}

std::vector<std::string> header_names(const queue_model& model) {
  std::set<std::string> names;
  for (const auto& version : model.versions) {
    for (auto& name : cpp::headers(version.queue.payload)) names.insert(std::move(name));
  }
  if (model.versions.size() > 1) names.insert("quern/upgrade.hpp");
  return {names.begin(), names.end()};
}

void set_project(view& out, const std::string& project, const std::string& cpp_namespace) {
  out.set("project", project);
  out.set("namespace", cpp_namespace);
}

}  // namespace

std::string namespace_path(std::string_view cpp_namespace) {
  std::string result;
  for (const char c : cpp_namespace) {
    if (c != ':') {
      result += c;
    } else if (!result.ends_with('/')) {
      result += '/';
    }
  }
  return result;
}

view queue_header_view(const queue_model& model, const std::string& cpp_namespace, const std::string& qualifier) {
  const auto used_enums = enum_headers(model, cpp_namespace);
  view result;
  set_project(result, model.project, cpp_namespace);
  result.set_list("includes", items_of("header", header_names(model)));
  result.set("queue", model.name());
  result.set("version", fmt::to_string(model.newest().contract->version));
  result.set("schema", cpp::escaped(sql::identifier(model.schema)));
  result.set("prefix", cpp::escaped(names::prefix(model.schema, model.line)));
  result.set("channel", cpp::escaped(names::channel(model.schema, model.line)));
  result.set("wake_key", cpp::integer(names::advisory_key(model.schema, model.line)));
  result.set_flag("has_enum_headers", !used_enums.empty());
  result.set_list("enum_headers", items_of("header", used_enums));
  result.set_list("versions", version_items(model, qualifier));
  result.set_list("upgrades", upgrade_items(model));
  result.set_list("other_names", other_name_items(model));
  if (!model.is_stream()) {
    result.set_flag("is_log", model.is_log());
    result.set_flag("has_limits", has_limits(model));
    result.set_flag("has_done", model.has_done());
    result.set("done_channel", cpp::escaped(names::done_channel(model.schema, model.line)));
  }
  return result;
}

view former_header_view(const queue_model& model, const std::string& cpp_namespace, const std::string& name) {
  view result;
  result.set("project", model.project);
  result.set("former", name);
  result.set("kind", std::string{contract::kind_of(*model.state)});
  result.set("queue", model.name());
  result.set("header", fmt::format("{}/{}.hpp", namespace_path(cpp_namespace), model.name()));
  return result;
}

view enumeration_header_view(const sql_project& project, const std::string& cpp_namespace,
                             const contract::locked_enumeration& enumeration) {
  view result;
  set_project(result, project.name, cpp_namespace);
  result.set("enum", enumeration.name);
  result.set("qualified", fmt::format("{}::{}", cpp_namespace, enumeration.name));
  result.set("type", cpp::escaped(names::enumeration(project.schema, enumeration.name)));
  result.set("count", fmt::to_string(enumeration.values.size()));
  result.set_list("doc_lines", line_items(cpp::comment_lines(enumeration.doc)));
  auto values = items_of("label", enumeration.values);
  for (std::size_t i = 0; i < values.size(); ++i) set_comma(values[i], i + 1 == values.size());
  result.set_list("values", std::move(values));
  return result;
}

}  // namespace render
