#pragma once

#include <string>
#include <string_view>

namespace declaration {

/// Why PostgreSQL's `~` would refuse a regular expression, or Quern refuses it; empty when it is fine. Follows the
/// manual's chapter on advanced regular expressions; what changes the syntax (`***`, the options b, e, q, x) is
/// refused.
std::string find_pattern_problem(std::string_view pattern);

enum class match_result { no, yes, unknown };

/// What `text ~ pattern` would give. Unknown for look-around, back references, options and word boundaries, for
/// character classes on text that is not ASCII (they depend on the database's locale), and where the search would take
/// too long.
match_result match(std::string_view pattern, std::string_view text);

}  // namespace declaration
