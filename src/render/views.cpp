#include "render/views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "render/checks.hpp"
#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"

namespace render {

namespace {

using declaration::field;
using declaration::project;
using declaration::queue;
using declaration::role_grants;

void set_doc(view& out, const std::string& doc) {
  out.set("doc_literal", sql::literal(doc));
  out.set_flag("has_doc", !doc.empty());
}

void set_project(view& out, const project& project) {
  out.set("project", project.name);
  out.set("schema", sql::identifier(project.schema));
}

/// Values of a field as they stand in the SQL of one table column, parameter or JSON key.
class field_spelling {
 public:
  field_spelling(const field& field, const std::string& schema)
      : field_{&field},
        column_{sql::identifier(field.name)},
        type_{sql::type(field.type, schema)},
        default_{field.default_value ? sql::value(*field.default_value, field.type) : ""},
        typed_default_{field.default_value ? sql::typed_value(*field.default_value, field.type) : ""},
        from_json_{sql::from_json(field, schema)} {}

  view column(bool is_last) const {
    view result;
    result.set("column", column_);
    result.set("parameter", "p_" + field_->name);
    result.set("sql_type", type_);
    result.set("not_null", field_->type.is_optional ? "" : " not null");
    result.set("default_clause", field_->default_value ? " default " + default_ : "");
    result.set("many_value", many_value());
    result.set("from_json", from_json_);
    set_doc(result, field_->doc);
    set_comma(result, is_last);
    return result;
  }

  view parameter() const {
    view result;
    result.set("parameter", "p_" + field_->name);
    result.set("sql_type", type_);
    result.set("parameter_default", parameter_default());
    result.set("many_type", field_->type.is_array ? "text[]" : type_ + "[]");
    result.set("many_default", is_required() ? "" : " default null");
    return result;
  }

  bool is_required() const { return !field_->type.is_optional && !field_->default_value; }

 private:
  std::string parameter_default() const {
    if (field_->default_value) return " default " + default_;
    return field_->type.is_optional ? " default null" : "";
  }

  std::string many_value() const {
    const auto given = fmt::format("t.{}{}", column_, field_->type.is_array ? "::" + type_ : "");
    if (!field_->default_value) return given;
    // Where NULL is a value of its own, only a parameter that was left out stands for the default.
    if (field_->type.is_optional) {
      return fmt::format("case when p_{} is null then {} else {} end", field_->name, typed_default_, given);
    }
    return fmt::format("coalesce({}, {})", given, typed_default_);
  }

  const field* field_;
  std::string column_;
  std::string type_;
  std::string default_;
  std::string typed_default_;
  std::string from_json_;
};

void set_fields(view& out, const std::vector<field>& fields, const std::string& schema) {
  std::vector<field_spelling> spellings;
  spellings.reserve(fields.size());
  for (const auto& field : fields) spellings.emplace_back(field, schema);

  std::vector<view> columns;
  for (std::size_t i = 0; i < spellings.size(); ++i) columns.push_back(spellings[i].column(i + 1 == spellings.size()));

  // PostgreSQL wants parameters with a default behind those without.
  std::stable_partition(spellings.begin(), spellings.end(), [](const auto& field) { return field.is_required(); });
  std::vector<view> parameters;
  for (const auto& spelling : spellings) parameters.push_back(spelling.parameter());
  out.set_list("fields", std::move(columns));
  out.set_list("parameters", std::move(parameters));
}

void set_checks(view& out, const queue& queue, const std::vector<field>& fields) {
  std::vector<view> items;
  for (const auto& field : fields) {
    for (auto& check : checks_of(queue.name, field)) {
      auto& item = items.emplace_back();
      item.set("name", std::move(check.name));
      item.set("expression", std::move(check.expression));
    }
  }
  out.set_list("checks", std::move(items));
}

std::string json_contract(const std::vector<field>& fields) {
  std::string result = "{";
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(result), "{}\"{}\": \"{}\"", result.size() == 1 ? "" : ", ", field.name,
                   sql::json_type(field));
  }
  return sql::literal(result + "}");
}

void set_part(view& out, std::string_view roles, std::string_view has_roles, const std::vector<std::string>& names) {
  out.set(roles, sql::identifiers(names));
  out.set_flag(has_roles, !names.empty());
}

/// By which every template names the queue's objects.
void set_names(view& out, const project& project, const versioned_queue& queue) {
  out.set("queue_literal", sql::literal(queue.queue->name));
  out.set("prefix", names::prefix(project.schema, queue.queue->name));
  out.set("version", fmt::to_string(queue.version));
}

void set_options(view& out, const project& project, const queue& queue) {
  out.set("door", names::door(project.schema, queue.name));
  out.set("channel_literal", sql::literal(names::channel(project.schema, queue.name)));
  out.set("advisory_key", fmt::to_string(names::advisory_key(project.schema, queue.name)));
  out.set("lease", sql::interval(queue.lease));
  out.set("max_attempts", fmt::to_string(queue.retry.max_attempts));
  out.set("retry_delay", sql::retry_delay(queue.retry));
  out.set_flag("has_dead_letter", queue.dead_letter);
  out.set_flag("is_schemaless", queue.is_schemaless);
  set_doc(out, queue.doc);
}

void set_grants(view& out, const role_grants& grants) {
  set_part(out, "producers", "has_producers", grants.produce);
  set_part(out, "consumers", "has_consumers", grants.consume);
  set_part(out, "operators", "has_operators", grants.operate);
  std::set<std::string> sorted;
  for (const auto* part : {&grants.produce, &grants.consume, &grants.operate})
    sorted.insert(part->begin(), part->end());
  const std::vector<std::string> roles{sorted.begin(), sorted.end()};
  set_part(out, "roles", "has_roles", roles);
  out.set("role_names", fmt::format("{}", fmt::join(roles, ", ")));
}

view enumeration_item(const project& project, const declaration::enumeration& enumeration) {
  view item;
  item.set("type", names::enumeration(project.schema, enumeration.name));
  set_doc(item, enumeration.doc);
  std::vector<view> values(enumeration.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].set("literal", sql::literal(enumeration.values[i]));
    set_comma(values[i], i + 1 == values.size());
  }
  item.set_list("values", std::move(values));
  return item;
}

}  // namespace

view core_view(const project& project, const std::vector<versioned_queue>& queues,
               const std::vector<const declaration::enumeration*>& enumerations, std::string migration) {
  std::vector<view> enums;
  for (const auto* enumeration : enumerations) enums.push_back(enumeration_item(project, *enumeration));
  std::vector<view> items(queues.size());
  for (std::size_t i = 0; i < queues.size(); ++i) set_names(items[i], project, queues[i]);

  view result;
  set_project(result, project);
  result.set("migration", std::move(migration));
  result.set_flag("has_enums", !enums.empty());
  result.set_list("enums", std::move(enums));
  result.set_list("queues", std::move(items));
  return result;
}

view queue_view(const project& project, const versioned_queue& queue) {
  const auto& fields = fields_of(*queue.queue);
  view result;
  set_project(result, project);
  result.set("migration", queue.queue->name + "/0001_create");
  result.set("queue", queue.queue->name);
  set_names(result, project, queue);
  result.set("fingerprint", queue.fingerprint);
  set_options(result, project, *queue.queue);
  set_grants(result, queue.queue->grants);
  result.set("json_contract", json_contract(fields));
  set_fields(result, fields, project.schema);
  set_checks(result, *queue.queue, fields);
  return result;
}

}  // namespace render
