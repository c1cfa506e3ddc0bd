#include "render/views.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "render/consumer_view.hpp"
#include "render/done.hpp"
#include "render/field_views.hpp"
#include "render/limits.hpp"
#include "render/names.hpp"
#include "render/ordering.hpp"
#include "render/readings.hpp"
#include "render/schedules.hpp"
#include "render/sql.hpp"
#include "render/table_shape.hpp"
#include "render/unique_view.hpp"
#include "render/view_parts.hpp"

namespace render {

namespace {

using declaration::field;
using declaration::role_grants;

// Whatever else somebody has set there is passed over: it is the key of no session.
constexpr const char* session =
    "case when current_setting('quern.session', true) !~ '^-?[0-9]+$' then null "
    "when abs(current_setting('quern.session', true)::numeric) < 9223372036854775808 then "
    "current_setting('quern.session', true)::bigint end";

void set_doc(view& out, const std::string& doc) {
  out.set("doc_literal", sql::literal(doc));
  out.set_flag("has_doc", !doc.empty());
}

void set_project(view& out, const sql_project& project) {
  out.set("project", project.name);
  out.set("schema", sql::identifier(project.schema));
  out.set("session", session);
}

void set_indexes(view& out, std::string_view name, std::string_view table, const table_shape& shape) {
  std::vector<view> items;
  for (const auto& index : shape.indexes) {
    if (index.table != table) continue;
    auto& item = items.emplace_back();
    item.set("name", index.name);
    item.set("columns", index.columns);
  }
  out.set_list(name, std::move(items));
}

/// The columns that contracts wrote their payloads into, and no others.
void set_payload_columns(view& out, const queue_model& model, const table_shape& shape) {
  std::vector<view> columns;
  for (const auto& column : shape.columns) {
    if (column.name == model.priority || column.name == expiry_column) continue;
    auto& item = columns.emplace_back();
    item.set("column", column.name);
    item.set("separator", columns.size() == 1 ? "" : ", ");
  }
  out.set_list("payload_columns", std::move(columns));
}

void set_table(view& out, const queue_model& model) {
  const auto shape = shape_of(model);
  set_payload_columns(out, model, shape);
  std::vector<view> columns;
  for (const auto& column : shape.columns) {
    auto& item = columns.emplace_back();
    item.set("column", column.name);
    item.set("sql_type", column.sql_type);
    item.set("default_clause", column.default_clause);
    item.set("not_null", column.is_required ? " not null" : "");
    set_doc(item, column.doc);
    if (model.is_stream()) continue;
    const bool is_expiry = column.name == expiry_column;
    item.set("given_default", is_expiry ? std::string{} : column.default_clause);
    item.set("revived", is_expiry ? "clock_timestamp() + " + sql::interval(*model.expires()) : "r." + column.name);
  }
  out.set_list("columns", std::move(columns));
  std::vector<view> checks;
  for (std::size_t i = 0; i < shape.checks.size(); ++i) {
    auto& item = checks.emplace_back();
    item.set("name", shape.checks[i].name);
    item.set("expression", shape.checks[i].expression);
    item.set("comma", i + 1 == shape.checks.size() ? "" : ",");
  }
  out.set_list("checks", std::move(checks));
  if (model.is_stream()) return;
  set_indexes(out, "message_indexes", "message", shape);
  set_indexes(out, "delayed_indexes", "delayed", shape);
  set_indexes(out, "dead_indexes", "dead", shape);
}

/// The priorities that messages may have, whichever contract wrote them.
void set_levels(view& out, const queue_model& model) {
  out.set_flag("has_levels", model.priorities > 0);
  out.set("last_level", fmt::to_string(model.priorities - 1));
  out.set("priority", model.priority);
  out.set_list("levels", level_items(model.later_priorities()));
}

std::string json_contract(const std::vector<field>& fields) {
  std::string result = "{";
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(result), "{}\"{}\": \"{}\"", result.size() == 1 ? "" : ", ", field.name,
                   sql::json_type(field));
  }
  return sql::literal(result + "}");
}

/// Of an object of the line or of one of its contracts.
void set_line(view& out, const queue_model& model) {
  out.set("schema", sql::identifier(model.schema));
  out.set("prefix", names::prefix(model.schema, model.line));
  out.set("session", session);
  out.set("channel_literal", sql::literal(names::channel(model.schema, model.line)));
  out.set("advisory_key", fmt::to_string(names::advisory_key(model.schema, model.line)));
}

/// Of a queue, under one of its names.
void set_options(view& out, const queue_model& model, const std::string& name) {
  const auto& queue = model.newest().queue;
  set_line(out, model);
  out.set("line_literal", sql::literal(model.line));
  set_names(out, model, name);
  out.set("lease", sql::interval(queue.lease));
  out.set("max_attempts", fmt::to_string(queue.retry.max_attempts));
  out.set_flag("has_expires", model.expires().has_value());
}

/// Of a queue that is ordered; else the values are empty.
void set_order(view& out, const queue_model& model) {
  out.set_flag("is_ordered", is_ordered(model));
  out.set_flag("is_blocking", is_blocking(model));
  out.set("key_column", key_column(model));
  out.set("key_m", key_of(model, "m"));
  out.set("key_d", key_of(model, "d"));
  out.set("key_e", key_of(model, "e"));
}

/// Of a log, which the tables of its messages or events are cut into.
void set_segments(view& out, bool has_commas) {
  out.set("segment_count", fmt::to_string(segment_count));
  std::vector<view> segments(segment_count);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i].set("segment", fmt::to_string(i));
    if (has_commas) set_comma(segments[i], i + 1 == segments.size());
  }
  out.set_list("segments", std::move(segments));
}

void set_users(view& out, const role_grants& grants) {
  set_part(out, "producers", "has_producers", grants.produce);
  set_part(out, "consumers", "has_consumers", grants.consume);
  set_part(out, "operators", "has_operators", grants.operate);
}

/// All of them.
void set_roles(view& out, const role_grants& grants) {
  std::set<std::string> sorted;
  for (const auto* part : {&grants.produce, &grants.consume, &grants.operate})
    sorted.insert(part->begin(), part->end());
  set_part(out, "roles", "has_roles", {sorted.begin(), sorted.end()});
}

void set_contract(view& out, const queue_version& version) {
  out.set("version", fmt::to_string(version.contract->version));
  out.set("fingerprint", version.fingerprint);
  out.set_flag("is_schemaless", version.contract->is_schemaless);
  out.set("json_contract", json_contract(fields_of(version.queue)));
}

/// The live contracts that bear the name, oldest first.
std::vector<const queue_version*> versions_called(const queue_model& model, const std::string& name) {
  std::vector<const queue_version*> result;
  for (const auto& version : model.versions) {
    if (version.contract->queue == name) result.push_back(&version);
  }
  return result;
}

/// What has to be so for the contract to take `p_payload`: its names and kinds first, then its values.
void set_fit(view& out, const queue_model& model, const queue_version& version) {
  const bool is_schemaless = version.contract->is_schemaless;
  out.set("names_fit", is_schemaless
                           ? "true"
                           : fmt::format("{}.quern_payload_problems(p_payload, {}) is null",
                                         sql::identifier(model.schema), json_contract(version.queue.payload)));
  std::vector<view> values;
  std::vector<view> demands;
  const auto& fields = fields_of(version.queue);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = is_schemaless ? "p_payload" : sql::from_json(fields[i], model.schema);
    auto& item = values.emplace_back();
    item.set("value", value);
    item.set("line_end", i + 1 == fields.size() ? "" : ",");
    const auto& field = version.contract->fields[i];
    for (const auto& one : demands_of(model, field, field.column, fmt::format("({})", value)))
      demands.emplace_back().set("demand", one.expression);
  }
  out.set_list("values", std::move(values));
  out.set_list("demands", std::move(demands));
}

/// What the untyped doors choose from.
void set_json_versions(view& out, const queue_model& model, const std::vector<const queue_version*>& called) {
  std::vector<view> older;
  for (const auto* each : called) {
    if (each == called.back()) continue;
    const auto& version = *each;
    auto& fit = older.emplace_back();
    fit.set("number", fmt::to_string(version.contract->version));
    set_fit(fit, model, version);
  }
  out.set_flag("has_older_versions", !older.empty());
  out.set_list("older_versions", std::move(older));
  out.set("version", fmt::to_string(model.newest().contract->version));
  out.set("oldest_version", fmt::to_string(called.front()->contract->version));
  out.set("json_version", fmt::to_string(called.back()->contract->version));
}

void set_versions(view& out, const queue_model& model, const std::vector<const queue_version*>& called) {
  std::vector<view> versions;
  for (const auto& version : model.versions) {
    auto& item = versions.emplace_back();
    item.set("number", fmt::to_string(version.contract->version));
    item.set("queue_literal", sql::literal(version.contract->queue));
    set_comma(item, &version == &model.newest());
  }
  out.set_list("versions", std::move(versions));
  set_json_versions(out, model, called);
}

/// The view that shows the queue in one contract.
void set_door(view& out, const queue_model& model, const queue_version& shown) {
  std::vector<view> fields;
  for (const auto& field : shown.contract->fields) {
    auto& item = fields.emplace_back();
    item.set("column", sql::identifier(field.name));
    item.set("value_m", value_of(model, shown, field, "m"));
    set_comma(item, &field == &shown.contract->fields.back());
  }
  out.set_list("door_fields", std::move(fields));
  out.set("door_readable", readable(model, shown, "m"));
  out.set_flag("is_door_schemaless", shown.contract->is_schemaless);
}

view enumeration_item(const sql_project& project, const contract::locked_enumeration& enumeration) {
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

/// Every name that programs without contracts may say.
std::vector<view> door_items(const sql_project& project, const std::vector<contract::queue_doors>& of,
                             bool are_streams) {
  std::vector<view> items;
  for (const auto& [line, names] : of) {
    for (const auto& name : names) {
      auto& item = items.emplace_back();
      if (!are_streams) {
        item.set("line_literal", sql::literal(line));
        item.set("prefix", names::prefix(project.schema, line));
      }
      item.set("queue_literal", sql::literal(name));
      item.set("api", names::prefix(project.schema, name));
      item.set_flag("has_other_names", names.size() > 1);
    }
  }
  return items;
}

view queue_view(const queue_model& model, const std::string& name) {
  const auto& queue = model.newest().queue;
  const auto called = versions_called(model, name);
  view result;
  result.set("project", model.project);
  set_options(result, model, name);
  result.set("door", names::door(model.schema, name));
  result.set("retry_delay", sql::retry_delay(queue.retry));
  result.set_flag("has_dead_letter", queue.dead_letter);
  set_doc(result, queue.doc);
  set_users(result, queue.grants);
  set_roles(result, queue.grants);
  result.set_flag("is_log", model.is_log());
  set_segments(result, true);
  set_levels(result, model);
  set_order(result, model);
  set_table(result, model);
  set_versions(result, model, called);
  set_door(result, model, *called.front());
  set_unique(result, model);
  set_limits(result, model);
  set_done(result, model);
  return result;
}

view stream_view(const queue_model& model, const std::string& name) {
  const auto& stream = model.newest().queue;
  view result;
  result.set("project", model.project);
  set_line(result, model);
  set_names(result, model, name);
  set_doc(result, stream.doc);
  set_users(result, stream.grants);
  set_roles(result, stream.grants);
  set_table(result, model);
  set_json_versions(result, model, versions_called(model, name));
  result.set("retention", sql::interval(stream.stream->retention));
  // While one is filled, two are kept, one is cleared away and one stays empty.
  result.set("rotation", sql::interval(std::max<std::int64_t>(stream.stream->retention / 2, 1'000'000)));
  set_segments(result, false);
  set_consumers(result, model);
  return result;
}

}  // namespace

view core_view(const sql_project& project, const line_names& lines,
               const std::vector<contract::locked_enumeration>& enumerations) {
  std::vector<view> enums;
  enums.reserve(enumerations.size());
  for (const auto& enumeration : enumerations) enums.push_back(enumeration_item(project, enumeration));
  view result;
  set_project(result, project);
  result.set("schema_literal", sql::literal(project.schema));
  result.set_flag("has_enums", !enums.empty());
  result.set_list("enums", std::move(enums));
  result.set_list("doors", door_items(project, lines.queues, false));
  result.set_flag("has_streams", !lines.streams.empty());
  result.set_list("stream_doors", door_items(project, lines.streams, true));
  set_schedules(result, project, lines.schedules);
  return result;
}

view shared_view(const queue_model& model, const std::string& name) {
  return model.is_stream() ? stream_view(model, name) : queue_view(model, name);
}

view version_view(const queue_model& model, const queue_version& version) {
  view result;
  set_options(result, model, version.contract->queue);
  result.set("queue_literal", sql::literal(version.contract->queue));
  set_users(result, model.newest().queue.grants);
  set_contract(result, version);
  result.set_flag("is_log", model.is_log());
  result.set_flag("reads_all", reads_all(model, version));
  result.set("expires", model.expires() ? sql::interval(*model.expires()) : std::string{});
  set_levels(result, model);
  result.set_flag("has_priorities", version.contract->priorities > 0);
  result.set_flag("has_headers", version.contract->has_headers);
  result.set("last_priority", fmt::to_string(version.contract->priorities - 1));
  result.set("readable_m", readable(model, version, "m"));
  result.set("readable_d", readable(model, version, "d"));
  set_order(result, model);
  result.set_flag("has_unordered", has_unordered(model));
  set_fields(result, model, version, {{"value_m", "m"}, {"value_d", "d"}});
  set_unique(result, model, version);
  set_limits_for_version(result, model);
  result.set_flag("has_done", model.has_done());
  result.set_flag("has_space", model.has_done() || model.is_log());
  result.set("payload_m", archived_payload(model, "m"));
  result.set("payload_d", archived_payload(model, "d"));
  return result;
}

view stream_version_view(const queue_model& model, const queue_version& version) {
  view result;
  set_line(result, model);
  set_names(result, model, version.contract->queue);
  result.set("queue_literal", sql::literal(version.contract->queue));
  result.set("next_version", fmt::to_string(version.contract->version + 1));
  set_users(result, model.newest().queue.grants);
  set_contract(result, version);
  result.set("readable_e", readable(model, version, "e"));
  result.set_flag("reads_all", &version == &model.newest() && reads_all(model, version));
  set_fields(result, model, version, {{"value_e", "e"}});
  return result;
}

}  // namespace render
