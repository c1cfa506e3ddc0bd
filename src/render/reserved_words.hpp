#pragma once

#include <string_view>

namespace render::sql {

/// Is that a word of PostgreSQL 14 to 18 that is not unreserved, or one that PL/pgSQL reserves?
bool is_reserved(std::string_view word);

}  // namespace render::sql
