#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "render/cpp.hpp"
#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"
#include "render/views.hpp"

namespace render {

namespace {

using declaration::field;
using declaration::project;
using declaration::queue;

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

std::vector<std::string> enum_headers(const project& project, const queue& queue) {
  std::set<std::string> headers;
  for (const auto& field : queue.payload) {
    if (field.type.base != declaration::base_type::enumeration) continue;
    headers.insert(fmt::format("{}/{}.hpp", namespace_path(project), field.type.enumeration));
  }
  return {headers.begin(), headers.end()};
}

std::vector<view> field_items(const std::vector<field>& fields, const std::string& qualifier) {
  std::vector<view> items(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto& item = items[i];
    item.set("name", fields[i].name);
    item.set("column", cpp::escaped(sql::identifier(fields[i].name)));
    item.set("parameter", "p_" + fields[i].name);
    item.set("type", cpp::type(fields[i].type, qualifier));
    item.set("initializer", cpp::initializer(fields[i], qualifier));
    item.set("number", fmt::to_string(i + 1));
    item.set_list("doc_lines", line_items(doc_lines(fields[i])));
  }
  return items;
}

void set_project(view& out, const project& project) {
  out.set("project", project.name);
  out.set("namespace", project.cpp_namespace);
}

}  // namespace

std::string namespace_path(const project& project) {
  std::string result;
  for (const char c : project.cpp_namespace) {
    if (c != ':') {
      result += c;
    } else if (!result.ends_with('/')) {
      result += '/';
    }
  }
  return result;
}

view queue_header_view(const project& project, const versioned_queue& versioned, const std::string& qualifier) {
  const auto& queue = *versioned.queue;
  const auto& fields = fields_of(queue);
  const auto used_enums = enum_headers(project, queue);
  view result;
  set_project(result, project);
  result.set_list("includes", items_of("header", cpp::headers(queue.payload)));
  result.set("queue", queue.name);
  result.set("version", fmt::to_string(versioned.version));
  result.set("fingerprint", versioned.fingerprint);
  result.set_flag("is_schemaless", queue.is_schemaless);
  result.set("schema", cpp::escaped(sql::identifier(project.schema)));
  result.set("prefix", cpp::escaped(names::prefix(project.schema, queue.name)));
  result.set("channel", cpp::escaped(names::channel(project.schema, queue.name)));
  result.set("wake_key", cpp::integer(names::advisory_key(project.schema, queue.name)));
  result.set_flag("has_enum_headers", !used_enums.empty());
  result.set_list("enum_headers", items_of("header", used_enums));
  result.set_list("doc_lines", line_items(cpp::comment_lines(queue.doc)));
  result.set("delay_number", fmt::to_string(fields.size() + 1));
  result.set_list("fields", field_items(fields, qualifier));
  return result;
}

view enumeration_header_view(const project& project, const declaration::enumeration& enumeration) {
  view result;
  set_project(result, project);
  result.set("enum", enumeration.name);
  result.set("qualified", fmt::format("{}::{}", project.cpp_namespace, enumeration.name));
  result.set("type", cpp::escaped(names::enumeration(project.schema, enumeration.name)));
  result.set("count", fmt::to_string(enumeration.values.size()));
  result.set_list("doc_lines", line_items(cpp::comment_lines(enumeration.doc)));
  auto values = items_of("label", enumeration.values);
  for (std::size_t i = 0; i < values.size(); ++i) set_comma(values[i], i + 1 == values.size());
  result.set_list("values", std::move(values));
  return result;
}

}  // namespace render
