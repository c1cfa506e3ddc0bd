#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace test {

/// The SQL of all migrations, in their order, for the queues and enumerations of a declaration, in the given schema. It
/// is made by the generator from the present templates; QUERN_TEST_TEMPLATES names a directory of others, as
/// `quern generate --templates` takes it. Throws with all diagnostics when the declaration is wrong.
std::string migrations_of(std::string_view declaration, std::string_view schema);

/// The steps of the migrations of each of several declarations, which are released one after the other.
std::vector<std::vector<std::string>> releases_of(const std::vector<std::string>& declarations,
                                                  std::string_view schema);

}  // namespace test
