#pragma once

#include <quern/connection.hpp>
#include <string>

namespace migrate {

/// How far the session `pid` has come with an index, in words: `building index: scanning table, 40 %`; empty when it is
/// making none. Throws quern::error.
std::string index_progress(quern::connection& db, int pid);

}  // namespace migrate
