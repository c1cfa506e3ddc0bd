#pragma once

#include <string>
#include <vector>

#include "migrate/catalog.hpp"
#include "migrate/directory.hpp"
#include "migrate/runner.hpp"

namespace migrate {

/// The migrations and steps that a database has, as a directory of their own. Throws error when the database was
/// migrated by other files: what should be in it is not known then.
directory applied_part(const directory& files, const survey& found);

/// What these migrations make of an empty database, `how.database`. Throws error as apply().
catalog catalog_after(const directory& files, const request& how);

/// What is in a database. Throws error when it cannot be reached or read.
catalog catalog_of(const std::string& database, const std::string& schema);

}  // namespace migrate
