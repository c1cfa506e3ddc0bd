#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace test {

/// The places (JSON pointers) and keywords at which a value does not fit a schema; knows the keywords that
/// `quern schema` uses, and throws std::logic_error for any other.
std::vector<std::string> schema_violations(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace test
