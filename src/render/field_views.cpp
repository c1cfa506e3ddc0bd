#include "render/field_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "render/readings.hpp"
#include "render/sql.hpp"
#include "render/view_parts.hpp"

namespace render {

namespace {

using declaration::field;

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
    result.set("many_value", many_value());
    result.set("from_json", from_json_);
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
    auto given = fmt::format("t.{}{}", column_, field_->type.is_array ? "::" + type_ : "");
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

}  // namespace

void set_fields(view& out, const queue_model& model, const queue_version& version,
                std::initializer_list<row_value> rows) {
  const auto& fields = fields_of(version.queue);
  std::vector<field_spelling> spellings;
  spellings.reserve(fields.size());
  for (const auto& field : fields) spellings.emplace_back(field, model.schema);

  std::vector<view> columns;
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const auto& field = version.contract->fields[i];
    auto& item = columns.emplace_back(spellings[i].column(i + 1 == spellings.size()));
    item.set("stored", sql::identifier(field.column));
    if (model.is_stream()) item.set("line_end", i + 1 == spellings.size() ? "" : ",");
    for (const auto& [name, row] : rows) item.set(name, value_of(model, version, field, row));
  }

  // PostgreSQL wants parameters with a default behind those without.
  std::stable_partition(spellings.begin(), spellings.end(), [](const auto& field) { return field.is_required(); });
  std::vector<view> parameters;
  for (const auto& spelling : spellings) {
    parameters.push_back(spelling.parameter());
    // Of a queue, the delay follows.
    if (model.is_stream()) parameters.back().set("line_end", &spelling == &spellings.back() ? "" : ",");
  }
  out.set_list("fields", std::move(columns));
  out.set_list("parameters", std::move(parameters));
}

}  // namespace render
