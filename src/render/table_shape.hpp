#pragma once

#include <string>
#include <vector>

#include "render/checks.hpp"
#include "render/queue_model.hpp"

namespace render {

/// A column of the payload in SQL.
struct table_column {
  std::string name;  // quoted where it must be
  std::string sql_type;
  std::string default_clause;  // ` default 'email'` or nothing
  bool is_required = false;
  std::string doc;
  bool operator==(const table_column&) const = default;
};

/// What the tables of a queue have to hold for its live contracts.
struct table_shape {
  std::vector<table_column> columns;
  std::vector<check> checks;
};

table_shape shape_of(const queue_model& model);

}  // namespace render
