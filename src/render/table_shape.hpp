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

/// An index besides those of the keys.
struct table_index {
  std::string name;     // email_message_priority, at most 63 bytes
  std::string table;    // message, delayed: what follows the name of the queue
  std::string columns;  // priority, message_id
  bool operator==(const table_index&) const = default;
};

/// What the tables of a queue have to hold for its live contracts.
struct table_shape {
  std::vector<table_column> columns;
  std::vector<check> checks;
  std::vector<table_index> indexes;
};

table_shape shape_of(const queue_model& model);

}  // namespace render
