#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "contract/lock.hpp"

namespace check {

/// A payload that a contract accepts.
struct sample {
  std::string words;                          // `typical`, `minimal`, `extreme 2`
  std::map<std::string, std::string> fields;  // name → JSON
  bool operator==(const sample&) const = default;
};

/// As JSON. A schemaless one is the value of its one field.
std::string spell(const sample& one, bool is_schemaless);

/// Whether a text matches a pattern, as PostgreSQL sees it.
using pattern_match = std::function<bool(const std::string& text, const std::string& pattern)>;

/// Payloads of a contract: a typical one, one with as little as it takes, and others with the ends of what each field
/// may hold. None when no text is found that fits the pattern of a field which has to be there.
std::vector<sample> samples_of(const contract::payload_contract& of,
                               const std::vector<contract::locked_enumeration>& enumerations,
                               const pattern_match& fits);

/// Whether two spellings of JSON mean the same: `1.50` is `1.5`.
bool is_same_value(const std::string& a, const std::string& b);

/// Whether a value comes back in the spelling in which it was given, if nothing converts it.
bool keeps_spelling(const contract::field& field, const std::vector<contract::locked_enumeration>& enumerations);

/// What is wrong with a value, JSON or nothing, for a field; empty when nothing is.
std::string value_problem(const contract::field& field, const std::vector<contract::locked_enumeration>& enumerations,
                          const std::optional<std::string>& json);

}  // namespace check
