#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "text/source.hpp"

/// What the user asked for, after reading: every rule of the declaration holds for these values.
/// All names are snake_case ASCII identifiers that are valid in TOML, SQL and C++.
namespace declaration {

enum class base_type {
  boolean,
  int16,
  int32,
  int64,
  float32,
  float64,
  numeric,
  text,
  bytes,
  uuid,
  date,
  timestamp,
  interval,
  jsonb,
  enumeration
};

/// `T`, `T?`, `T[]`, `T?[]` (elements may be null), `T[]?`.
struct field_type {
  base_type base = base_type::text;
  int precision = 0;  // numeric(p,s): 0 when unconstrained
  int scale = 0;
  std::string enumeration;  // its name, for base_type::enumeration
  bool is_array = false;
  bool has_optional_elements = false;
  bool is_optional = false;
  bool operator==(const field_type&) const = default;
};

/// A default as the user wrote it: numbers of type numeric and texts of uuid, date … stay text in PostgreSQL's input
/// form.
struct empty_array {
  bool operator==(const empty_array&) const = default;
};

using value = std::variant<bool, std::int64_t, double, std::string, empty_array>;

/// Each one becomes a named CHECK constraint. `min` and `max` are inclusive and have the type of the field.
struct field_constraints {
  std::optional<value> min;
  std::optional<value> max;
  std::optional<std::int64_t> max_length;  // characters of text, bytes of bytes, elements of an array
  std::optional<std::string> pattern;      // POSIX regular expression of PostgreSQL, for text
  bool operator==(const field_constraints&) const = default;
};

struct field {
  std::string name;
  std::string doc;
  field_type type;
  std::optional<value> default_value;
  field_constraints constraints;
  text::span where;
};

enum class backoff_kind { constant, linear, exponential };

/// Durations are microseconds everywhere in the model.
struct retry_policy {
  int max_attempts = 8;
  backoff_kind backoff = backoff_kind::exponential;
  std::int64_t initial = 1'000'000;
  std::int64_t max = 3'600'000'000;
  double jitter = 0.2;  // a share of the delay, 0 to 1
  bool operator==(const retry_policy&) const = default;
};

struct role_grants {
  std::vector<std::string> produce;
  std::vector<std::string> consume;
  std::vector<std::string> operate;
  bool operator==(const role_grants&) const = default;
};

struct queue {
  std::string name;
  std::string doc;
  std::int64_t lease = 30'000'000;
  retry_policy retry;
  bool dead_letter = true;  // false: a message is dropped after its last attempt
  role_grants grants;
  bool is_schemaless = false;  // payload = "jsonb": the one field is `payload`, not null jsonb
  std::vector<field> payload;  // in the order in which they are written
  text::span where;
};

struct enumeration {
  std::string name;
  std::string doc;
  std::vector<std::string> values;
  text::span where;
};

struct project {
  std::string name;
  std::string schema;
  std::string cpp_namespace;              // may be nested: a::b
  int postgres = 14;                      // the oldest server that must be supported
  std::vector<enumeration> enumerations;  // in the order in which they are written, as are the queues
  std::vector<queue> queues;
};

}  // namespace declaration
