#pragma once

#include <string>
#include <vector>

#include "migrate/export.hpp"

namespace migrate {

/// What becomes one file (or one pair of them): a step, a part of one, or for psql a whole migration.
struct export_unit {
  std::string key{};   // `email/0002_add_note 1/2 1/1`: the migration, the step, the part of the step
  std::string name{};  // `email_0002_add_note_1_columns`
  std::string up{};
  std::string down{};
  std::string verify{};  // fails unless `up` was done
  bool is_transactional = true;
  bool is_reversible = true;  // else `down` says that it is not
  bool is_draft = false;
};

/// In the runner's order. Each format gets its own SQL, without what only its files have.
std::vector<export_unit> export_units(const directory& files, const export_request& how);

}  // namespace migrate
