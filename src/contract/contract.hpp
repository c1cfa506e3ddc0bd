#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "declaration/model.hpp"

/// What has been promised to programs: the typed payload of a queue at one version.
namespace contract {

/// A field in the spelling of the declaration, so that it can be compared and kept as text.
struct field {
  std::string name;
  std::string type;  // int64, numeric(10,2), channel?, uuid[]
  std::optional<std::string> default_value;
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<std::int64_t> max_length;
  std::optional<std::string> pattern;
  bool operator==(const field&) const = default;
};

struct payload_contract {
  std::string queue;
  int version = 1;
  bool is_schemaless = false;
  std::vector<field> fields;  // in the order of the declaration
  bool operator==(const payload_contract&) const = default;
};

/// The contract that the declaration asks for, as that version.
payload_contract contract_of(const declaration::queue& queue, int version);

/// SHA-256 over a canonical spelling of name, version and fields, as 64 hex digits. Two contracts have the same
/// fingerprint exactly when they are equal.
std::string fingerprint(const payload_contract& contract);

/// A default or bound as text: `true`, `-5`, `0.25`, a text as it is, `[]` for the empty array.
std::string spell(const declaration::value& value);

/// `constant`, `linear`, `exponential`.
std::string spell(declaration::backoff_kind backoff);

}  // namespace contract
