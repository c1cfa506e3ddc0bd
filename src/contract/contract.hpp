#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  std::vector<std::string> values{};  // of an enumeration, as this contract knows them
  std::string column{};               // where it is stored
  std::string renamed_from{};         // its name in the contract before, when that is another
  bool is_new = false;                // unrelated to the field of that name in the contract before
  bool operator==(const field&) const = default;
};

/// The value that a field has for older contracts in messages that do not have it any more.
struct removed_field {
  std::string name;
  std::string value;
  bool operator==(const removed_field&) const = default;
};

/// What was said when a contract broke with those before it.
struct contract_break {
  std::string reason;
  std::string until;  // 2026-12-31
  bool operator==(const contract_break&) const = default;
};

/// Which messages are the same: of those that are, there is one.
struct unique_rule {
  std::vector<std::string> fields;
  bool is_timed = false;  // since it was enqueued; else while it is pending
  bool operator==(const unique_rule&) const = default;
};

struct payload_contract {
  std::string queue;
  int version = 1;
  bool is_schemaless = false;
  std::vector<field> fields{};    // in the order of the declaration; one, `payload`, without a schema
  int priorities = 0;             // that messages may have; 0: they have none
  std::string priority_column{};  // where the priority is stored, when there are some
  bool has_headers = false;       // producers may give some, consumers see them
  std::optional<unique_rule> unique{};
  std::vector<removed_field> removed{};  // since the contract before; those without a value are not listed
  std::optional<contract_break> breaks{};
  bool is_retired = false;  // its functions are gone, and no message bears it
  bool operator==(const payload_contract&) const = default;
};

/// The fields that the declaration asks for, unrelated to any contract before: each in a column of its name.
std::vector<field> fields_of(const declaration::project& project, const declaration::queue& queue);

/// Whether two fields are the same for a program, wherever they are stored and whatever they were called before.
bool is_same(const field& a, const field& b);

/// The field of that name, or null.
const field* find_field(const payload_contract& contract, std::string_view name);

/// The rule of a declared queue.
std::optional<unique_rule> unique_of(const declaration::queue& queue);

/// Those that are not retired, by version.
std::vector<const payload_contract*> live(const std::vector<payload_contract>& contracts);

/// Whether messages of one of those that are not retired have headers.
bool have_headers(const std::vector<payload_contract>& contracts);

/// SHA-256 over a canonical spelling of name, version and fields, as 64 hex digits. Two contracts have the same
/// fingerprint exactly when they are equal.
std::string fingerprint(const payload_contract& contract);

/// A default or bound as text: `true`, `-5`, `0.25`, a text as it is, `[]` for the empty array.
std::string spell(const declaration::value& value);

/// `constant`, `linear`, `exponential`.
std::string spell(declaration::backoff_kind backoff);

/// `block`, `skip`.
std::string spell(declaration::failure_policy policy);

}  // namespace contract
