#pragma once

#include <quern/connection.hpp>
#include <string>
#include <string_view>

namespace quern {

/// The same server and user, another database. `connection_string` is what a connection is made from; the result is in
/// libpq's `keyword=value` form. Throws connection_error for what libpq cannot read.
std::string with_database(std::string_view connection_string, std::string_view name);

/// What opens another session like this one, its password included: not to be shown to anybody.
std::string connection_string_of(const connection& opened);

}  // namespace quern
