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
  std::string renamed_from;  // its name in the contract before this one; empty when it has not changed
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

/// A contract whose messages older or newer programs cannot read, on purpose.
struct accepted_break {
  int version = 0;  // of the contract that breaks
  std::string reason;
  std::string until;  // 2026-12-31: when the older contracts should be gone
  text::span where;
};

/// Of the messages with the same values of these fields there is one: while it is pending, or for a time. A null is the
/// same as nothing: a message with one is not limited.
struct unique_rule {
  std::vector<std::string> fields;     // of the payload
  std::optional<std::int64_t> within;  // since it was enqueued; nothing: while it is pending
  text::span where;
};

/// What becomes of the later messages of a key when one of them ran out of attempts.
enum class failure_policy {
  block,  // they wait until it is redriven or purged
  skip    // they go on without it
};

/// One key's messages are handled one at a time, in the order in which they were enqueued; or, of a queue, at most so
/// many at once in any order: then nothing blocks.
struct ordering {
  std::string field;
  failure_policy on_failure = failure_policy::block;
  int per_key = 0;  // how many at once; 0: one, in order
  text::span where;
};

/// How many messages are handed out in a time, whoever asks for them.
struct rate_limit {
  std::int64_t count = 0;  // messages
  std::int64_t per = 0;    // in this time
  std::int64_t burst = 0;  // at most so many at once
  bool operator==(const rate_limit&) const = default;
};

/// Who reads a stream and is waited for before events are cleared away.
struct stream_consumer {
  std::string name;
  bool from_start = true;           // of what is kept when it is made; else with what is published from then on
  std::string filter{};             // which events it gets, see filter.hpp; empty: all
  bool is_cooperative = false;      // many workers share its cursor; what follows is of such consumers alone
  std::int64_t lease = 30'000'000;  // of what a worker claims
  retry_policy retry;               // of single events that failed
  std::optional<ordering> order{};  // one key's events are handled one at a time
  text::span where;
};

/// What only a stream has.
struct stream_settings {
  std::int64_t retention = 604'800'000'000;  // an event is kept at least for this long: 7 d
  std::vector<stream_consumer> consumers;    // in the order in which they are written
};

/// A queue or, with `stream`, a stream: what is said of leases, retries and dead letters is of queues alone.
struct queue {
  std::string name;
  std::string doc;
  std::int64_t lease = 30'000'000;
  std::int64_t sunset = 24 * 3'600'000'000;  // how long nobody may have used a contract before it is retired
  retry_policy retry;
  bool dead_letter = true;                // false: a message is dropped after its last attempt
  std::optional<std::int64_t> expires{};  // since it was due for the first time; nothing: it waits as long as it takes
  bool is_log = false;                    // storage = "log"; else rows that are updated
  std::optional<std::int64_t> keep_done{};  // for how long handled messages are kept; nothing: they are deleted
  std::optional<ordering> order;
  role_grants grants;
  int priorities = 0;        // how many there are, 0 is handed out first; 0: the queue has none
  bool has_headers = false;  // a JSON object may travel with each message, besides its payload
  std::optional<unique_rule> unique;
  int concurrency = 0;  // how many messages are in work at once; 0: any number
  std::optional<rate_limit> rate;
  bool is_schemaless = false;  // payload = "jsonb": the one field is `payload`, not null jsonb
  std::vector<field> payload;  // in the order in which they are written
  std::vector<field> removed;  // what the payload had before; the default is what older programs read from now on
  std::optional<accepted_break> breaks;
  std::optional<stream_settings> stream;
  text::span where;
  std::string renamed_from{};  // its name before; empty when it has not changed
  text::span renamed_where{};
};

/// A queue or stream that is not declared any more.
struct removed_queue {
  std::string name;
  bool is_stream = false;
  bool discards_messages = false;  // else it is dropped only when it holds none
  text::span where;
};

struct enumeration {
  std::string name;
  std::string doc;
  std::vector<std::string> values;
  text::span where;
};

/// What becomes of the times that passed while no scheduler ran.
enum class catch_up_policy {
  none,  // they are left out
  last,  // the last one of them fires
  all    // each of them fires, up to a limit
};

/// Who makes a schedule fire.
enum class schedule_runner {
  quern,   // `quern schedule`, or whoever calls the function that it calls
  pg_cron  // a job in the database
};

/// A message or event that comes at times.
struct schedule {
  std::string name;
  std::string doc;
  std::string cron;          // as it is written; parse_cron() reads it
  std::string zone = "UTC";  // of the time zone database
  std::string target;        // a queue or stream
  std::string payload;       // a JSON object that fits its present contract
  catch_up_policy catch_up = catch_up_policy::last;
  schedule_runner runner = schedule_runner::quern;
  text::span where;
};

struct project {
  std::string name;
  std::string schema;
  std::string cpp_namespace;              // may be nested: a::b
  int postgres = 14;                      // the oldest server that must be supported
  std::vector<enumeration> enumerations;  // in the order in which they are written, as are the queues
  std::vector<queue> queues;              // and streams
  std::vector<removed_queue> removed_queues;
  std::vector<schedule> schedules{};
};

}  // namespace declaration
