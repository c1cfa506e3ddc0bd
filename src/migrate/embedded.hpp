#pragma once

#include <quern/migrate.hpp>
#include <string>
#include <string_view>

#include "migrate/directory.hpp"
#include "migrate/history.hpp"

namespace migrate {

/// What was compiled in, as if it had been read from a directory.
directory as_directory(const quern::migration_set& embedded);

/// Those of them that are drafts.
draft_names drafts_of(const quern::migration_set& embedded);

/// C++ that holds migrations: a header that declares `migrations()`, and the source that defines it.
struct embedded_source {
  std::string header;
  std::string source;
};

/// `name_space` is a C++ namespace, `header_name` what the source includes.
embedded_source embed(const directory& files, std::string_view schema, std::string_view name_space,
                      std::string_view header_name, const draft_names& drafts = {});

}  // namespace migrate
