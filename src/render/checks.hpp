#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"

namespace render {

/// A CHECK constraint: its name says what it asserts, and is the same on every table of the queue.
struct check {
  std::string name;        // email_recipient_max_length; at most 63 bytes
  std::string expression;  // char_length(recipient) <= 320; NULL passes
};

/// Everything that the database has to refuse for the field besides a NULL.
std::vector<check> checks_of(std::string_view queue, const declaration::field& field);

/// The same of any expression of the field's type.
std::vector<check> checks_of(std::string_view queue, const declaration::field& field, const std::string& value);

/// A name of at most 63 bytes: PostgreSQL would cut a longer one without a word, and two cut names can be the same.
std::string fitted(std::string name);

}  // namespace render
