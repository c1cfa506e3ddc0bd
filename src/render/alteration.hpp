#pragma once

#include <string>
#include <vector>

#include "render/table_shape.hpp"

namespace render {

/// What one shape of a queue's tables needs to become another, as actions of `alter table` of what is short, so that
/// what takes long is checked while others work.
struct alteration {
  std::vector<std::string> columns;         // that are new, or lose a default or `not null`
  std::vector<std::string> checks;          // constraints that go, and new ones that are not validated yet
  std::vector<std::string> versions;        // the same for which contracts may be stored
  std::vector<std::string> require_checks;  // not validated: columns that hold a value from now on; when that is done,
  std::vector<std::string> require;         // it is theirs, and
  std::vector<std::string> require_done;    // the constraints go
  std::vector<std::string> unused;          // columns that go
  std::vector<std::string> to_validate;     // names of the constraints in `checks`,
  std::vector<std::string> to_validate_required;  // in `require_checks`,
  std::string versions_check;                     // and of the one in `versions`
  std::vector<std::string> new_columns;
  std::vector<table_index> new_indexes;
  std::vector<table_index> unused_indexes;
  std::vector<std::string> comments;  // `note is 'What the customer wrote.'`
};

/// `queue` gives constraints their names.
alteration alter(const table_shape& before, const table_shape& after, const std::string& queue);

}  // namespace render
