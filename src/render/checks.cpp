#include "render/checks.hpp"

#include <fmt/format.h>

#include "contract/sha256.hpp"
#include "declaration/generated_names.hpp"
#include "declaration/names.hpp"
#include "render/sql.hpp"

namespace render {

std::string fitted(std::string name) {
  if (name.size() <= declaration::longest_identifier) return name;
  const auto mark = contract::sha256(name).substr(0, 8);
  name.resize(declaration::longest_identifier - mark.size() - 1);
  return fmt::format("{}_{}", name, mark);
}

namespace {

std::string_view length_of(const declaration::field_type& type) {
  if (type.is_array) return "cardinality";
  return type.base == declaration::base_type::bytes ? "octet_length" : "char_length";
}

}  // namespace

std::vector<check> checks_of(std::string_view queue, const declaration::field& field) {
  return checks_of(queue, field, sql::identifier(field.name));
}

std::vector<check> checks_of(std::string_view queue, const declaration::field& field, const std::string& column) {
  using declaration::constraint_kind;
  const auto& limits = field.constraints;
  std::vector<check> result;
  const auto add_declared = [&](constraint_kind kind, std::string expression) {
    result.push_back({fitted(declaration::constraint_name(queue, field.name, kind)), std::move(expression)});
  };
  const auto add_implied = [&](std::string_view what, std::string expression) {
    result.push_back({fitted(fmt::format("{}_{}_{}", queue, field.name, what)), std::move(expression)});
  };

  if (limits.min)
    add_declared(constraint_kind::min, fmt::format("{} >= {}", column, sql::value(*limits.min, field.type)));
  if (limits.max)
    add_declared(constraint_kind::max, fmt::format("{} <= {}", column, sql::value(*limits.max, field.type)));
  if (limits.max_length) {
    add_declared(constraint_kind::max_length,
                 fmt::format("{}({}) <= {}", length_of(field.type), column, *limits.max_length));
  }
  if (limits.pattern)
    add_declared(constraint_kind::pattern, fmt::format("{} ~ {}", column, sql::literal(*limits.pattern)));
  if (field.type.is_array) {
    // Programs read one dimension that counts from 1; an empty array has no dimension at all.
    add_implied("one_dimension",
                fmt::format("coalesce(array_ndims({0}), 1) = 1 and coalesce(array_lower({0}, 1), 1) = 1", column));
    if (!field.type.has_optional_elements) {
      // Elements of an array of arrays cannot be searched for: it is refused for its dimensions.
      add_implied("no_nulls", fmt::format("array_ndims({0}) > 1 or array_position({0}, null) is null", column));
    }
  }
  return result;
}

}  // namespace render
