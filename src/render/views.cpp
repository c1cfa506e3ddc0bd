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

void set_doc(view& out, const std::string& doc) {
  out.set("doc_literal", sql::literal(doc));
  out.set_flag("has_doc", !doc.empty());
}

void set_project(view& out, const project& project) {
  out.set("project", project.name);
  out.set("schema", sql::identifier(project.schema));
  out.set("schema_literal", sql::literal(project.schema));
}

using role_set = std::set<std::string>;

void add_roles(role_set& roles, const queue& queue) {
  for (const auto* part : {&queue.grants.produce, &queue.grants.consume, &queue.grants.operate}) {
    roles.insert(part->begin(), part->end());
  }
}

void set_roles(view& out, const role_set& roles) {
  const std::vector<std::string> sorted{roles.begin(), roles.end()};
  out.set("roles", sql::identifiers(sorted));
  out.set("role_names", fmt::format("{}", fmt::join(sorted, ", ")));
  out.set_flag("has_roles", !sorted.empty());
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

  view item(bool is_last) const {
    view result;
    result.set("name", field_->name);
    result.set("name_literal", sql::literal(field_->name));
    result.set("column", column_);
    result.set("parameter", "p_" + field_->name);
    result.set("sql_type", type_);
    result.set("not_null", field_->type.is_optional ? "" : " not null");
    result.set("default_clause", field_->default_value ? " default " + default_ : "");
    result.set("parameter_default", parameter_default());
    result.set("many_type", field_->type.is_array ? "text[]" : type_ + "[]");
    result.set("many_default", is_required() ? "" : " default null");
    result.set("many_value", many_value());
    result.set("from_json", from_json_);
    result.set_flag("is_optional", field_->type.is_optional);
    result.set_flag("is_array", field_->type.is_array);
    result.set_flag("has_default", field_->default_value.has_value());
    set_doc(result, field_->doc);
    set_separators(result, is_last);
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

  std::vector<view> in_order;
  for (std::size_t i = 0; i < spellings.size(); ++i) in_order.push_back(spellings[i].item(i + 1 == spellings.size()));

  // PostgreSQL wants parameters with a default behind those without.
  std::stable_partition(spellings.begin(), spellings.end(), [](const auto& field) { return field.is_required(); });
  std::vector<view> required_first;
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    required_first.push_back(spellings[i].item(i + 1 == spellings.size()));
  }
  out.set_list("fields", std::move(in_order));
  out.set_list("parameters", std::move(required_first));
}

void set_checks(view& out, const queue& queue, const std::vector<field>& fields) {
  std::vector<check> checks;
  for (const auto& field : fields) {
    for (auto& check : checks_of(queue.name, field)) checks.push_back(std::move(check));
  }
  std::vector<view> items(checks.size());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    items[i].set("name", checks[i].name);
    items[i].set("expression", checks[i].expression);
    set_separators(items[i], i + 1 == checks.size());
  }
  out.set_flag("has_checks", !items.empty());
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

/// Everything of a queue but its lists.
void set_queue(view& out, const project& project, const versioned_queue& versioned) {
  const auto& queue = *versioned.queue;
  out.set("version", fmt::to_string(versioned.version));
  out.set("fingerprint", versioned.fingerprint);
  out.set("queue", queue.name);
  out.set("queue_literal", sql::literal(queue.name));
  out.set("prefix", names::prefix(project.schema, queue.name));
  out.set("door", names::door(project.schema, queue.name));
  out.set("channel_literal", sql::literal(names::channel(project.schema, queue.name)));
  out.set("advisory_key", fmt::to_string(names::advisory_key(project.schema, queue.name)));
  out.set("lease", sql::interval(queue.lease));
  out.set("max_attempts", fmt::to_string(queue.retry.max_attempts));
  out.set("retry_delay", sql::retry_delay(queue.retry));
  out.set_flag("has_dead_letter", queue.dead_letter);
  out.set_flag("is_schemaless", queue.is_schemaless);
  set_doc(out, queue.doc);
  set_part(out, "producers", "has_producers", queue.grants.produce);
  set_part(out, "consumers", "has_consumers", queue.grants.consume);
  set_part(out, "operators", "has_operators", queue.grants.operate);
  role_set roles;
  add_roles(roles, queue);
  set_roles(out, roles);
}

std::vector<view> queue_items(const project& project, const std::vector<versioned_queue>& queues) {
  std::vector<view> items(queues.size());
  for (std::size_t i = 0; i < queues.size(); ++i) {
    set_queue(items[i], project, queues[i]);
    set_separators(items[i], i + 1 == queues.size());
  }
  return items;
}

view enumeration_item(const project& project, const declaration::enumeration& enumeration) {
  view item;
  item.set("enum", enumeration.name);
  item.set("type", names::enumeration(project.schema, enumeration.name));
  set_doc(item, enumeration.doc);
  std::vector<view> values(enumeration.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].set("label", enumeration.values[i]);
    values[i].set("literal", sql::literal(enumeration.values[i]));
    set_separators(values[i], i + 1 == values.size());
  }
  item.set_list("values", std::move(values));
  return item;
}

}  // namespace

view core_view(const project& project, const std::vector<versioned_queue>& queues,
               const std::vector<const declaration::enumeration*>& enumerations, std::string migration) {
  std::vector<view> enumeration_items;
  for (const auto* enumeration : enumerations) enumeration_items.push_back(enumeration_item(project, *enumeration));
  role_set roles;
  for (const auto& queue : queues) add_roles(roles, *queue.queue);

  view result;
  set_project(result, project);
  result.set("migration", std::move(migration));
  result.set_flag("has_enums", !enumeration_items.empty());
  result.set_list("enums", std::move(enumeration_items));
  result.set_list("queues", queue_items(project, queues));
  set_roles(result, roles);
  return result;
}

view queue_view(const project& project, const versioned_queue& queue) {
  const auto& fields = fields_of(*queue.queue);
  view result;
  set_project(result, project);
  set_queue(result, project, queue);
  result.set("migration", queue.queue->name + "/0001_create");
  result.set("json_contract", json_contract(fields));
  set_fields(result, fields, project.schema);
  set_checks(result, *queue.queue, fields);
  return result;
}

}  // namespace render
