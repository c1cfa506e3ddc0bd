#pragma once

#include <string>
#include <string_view>
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
  std::vector<table_column> columns;  // with that of the expiry, which has steps of its own
  std::vector<check> checks;
  std::vector<table_index> indexes;
};

/// The column that says when a message ends unless it was handled; null: it has no end. Fields cannot have the name.
inline constexpr std::string_view expiry_column = "quern_expires_at";

/// The column of a message's headers. Fields cannot have the name.
inline constexpr std::string_view headers_column = "quern_headers";

/// Of the messages that are not delayed: ` default now() + interval '1 hour'`. Empty when they do not expire.
std::string expiry_default(const queue_model& model);

/// Everything that one contract demands of a value of the column, whose SQL is given, besides being there.
std::vector<check> demands_of(const queue_model& model, const contract::field& field, const std::string& column,
                              const std::string& value);

table_shape shape_of(const queue_model& model);

}  // namespace render
