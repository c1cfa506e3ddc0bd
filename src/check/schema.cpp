#include "check/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "declaration/types.hpp"

namespace check {
namespace {

using nlohmann::ordered_json;

/// A key of a table: tests/check/schema_test.cpp holds this list against the reader.
struct schema_key {
  std::string_view table;  // a name below `$defs`; empty: the declaration itself
  std::string_view name;
  std::string_view value;  // its schema, as JSON
  std::string_view doc;
  bool is_required = false;
};

constexpr std::string_view any_of_name = R"("propertyNames": {"$ref": "#/$defs/name"})";

constexpr std::string_view text = R"({"type": "string"})";
constexpr std::string_view duration = R"({"$ref": "#/$defs/duration"})";
constexpr std::string_view roles = R"({"type": "array", "items": {"type": "string", "minLength": 1}})";
constexpr std::string_view limit = R"({"type": ["integer", "number", "string"]})";

constexpr std::array keys{
    schema_key{"", "project", R"({"$ref": "#/$defs/project"})", "The project: one schema and one namespace.", true},
    schema_key{"", "enums", R"({"$ref": "#/$defs/enums"})", "Enumerations, by name."},
    schema_key{"", "queues", R"({"$ref": "#/$defs/queues"})", "Queues, by name."},
    schema_key{"", "removed_queues", R"({"$ref": "#/$defs/removed_queues"})",
               "Queues that are to be dropped, by name."},
    schema_key{"", "streams", R"({"$ref": "#/$defs/streams"})", "Streams, by name."},
    schema_key{"", "removed_streams", R"({"$ref": "#/$defs/removed_streams"})",
               "Streams that are to be dropped, by name."},

    schema_key{"", "schedules", R"({"$ref": "#/$defs/schedules"})", "What comes at times, by name."},

    schema_key{"project", "name", R"({"$ref": "#/$defs/name"})", "Also the schema and the namespace, by default.",
               true},
    schema_key{"project", "schema", R"({"$ref": "#/$defs/name"})", "The schema in PostgreSQL. Default: the name."},
    schema_key{"project", "namespace", R"({"type": "string", "pattern": "^[a-z][a-z0-9_]*(::[a-z][a-z0-9_]*)*$"})",
               "The namespace in C++, perhaps nested: a::b. Default: the name."},
    schema_key{"project", "postgres", R"({"type": "integer", "minimum": 14, "maximum": 18, "default": 14})",
               "The oldest server that must be supported."},

    schema_key{"enum", "values",
               R"({"type": "array", "items": {"$ref": "#/$defs/name"}, "minItems": 1, "uniqueItems": true})",
               "In their order.", true},
    schema_key{"enum", "doc", text, "What it is for; becomes a comment in the database and in C++."},

    schema_key{"queue", "doc", text, "What it is for; becomes a comment in the database and in C++."},
    schema_key{"queue", "lease", duration, "How long a worker has for a message, 1s to 7d. Default: 30s."},
    schema_key{"queue", "retry", R"({"$ref": "#/$defs/retry"})", "What happens to a message whose handling failed."},
    schema_key{"queue", "dead_letter", R"({"type": "boolean", "default": true})",
               "Whether a message is kept after its last attempt."},
    schema_key{"queue", "expires", duration,
               "Until when a message has to be handled, counted from when it was due, 1s to 3650d: then it goes to the "
               "dead letters."},
    schema_key{"queue", "headers", R"({"type": "boolean", "default": false})",
               "Whether a JSON object, such as the context of a trace, may travel with each message."},
    schema_key{"queue", "priorities", R"({"type": "integer", "minimum": 2, "maximum": 10})",
               "How many priorities messages may have: 0, the default, is handed out first."},
    schema_key{"queue", "ordered_by", R"({"$ref": "#/$defs/name"})",
               "A field of the payload: messages that have the same value are handled one at a time, in their order."},
    schema_key{"queue", "on_failure", R"({"enum": ["block", "skip"], "default": "block"})",
               "Whether later messages of a key wait for one that ran out of attempts, or go on without it."},
    schema_key{
        "queue", "storage", R"({"enum": ["rows", "log"], "default": "rows"})",
        "How messages are stored: as rows that are updated and deleted, or in a log that only grows and is emptied "
        "as a whole."},
    schema_key{"queue", "keep_done", duration,
               "How long a handled message is kept with its result, 1s to 3650d. Default: it is deleted."},
    schema_key{"queue", "grants", R"({"$ref": "#/$defs/grants"})", "Which roles may do what."},
    schema_key{"queue", "payload", R"({"$ref": "#/$defs/payload"})", "The fields of a message, or \"jsonb\".", true},

    schema_key{"queue", "sunset", duration,
               "How long nobody may have used a contract before it can be retired, 1s to 366d. Default: 24h."},
    schema_key{"queue", "removed", R"({"$ref": "#/$defs/fields"})",
               "Fields that the payload had, with the default that programs of older contracts read."},
    schema_key{"queue", "renamed_from", R"({"$ref": "#/$defs/name"})", "The name that the queue had before."},
    schema_key{"queue", "accept_break", R"({"$ref": "#/$defs/accepted_break"})",
               "A change of the payload that older programs cannot follow, with the reason and an end."},

    schema_key{"queue", "unique", R"({"$ref": "#/$defs/unique"})",
               "Fields that no two messages have alike, while one is pending or for a time."},

    schema_key{"unique", "fields",
               R"({"type": "array", "items": {"$ref": "#/$defs/name"}, "minItems": 1, "maxItems": 32,
                   "uniqueItems": true})",
               "Of the payload. A message that lacks one of them is not limited.", true},
    schema_key{"unique", "while", R"({"enum": ["pending"]})", "Until the message has ended."},
    schema_key{"unique", "within", duration, "Since the message was enqueued, 1s to 366d."},

    schema_key{"queue", "concurrency",
               R"({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, {"$ref": "#/$defs/concurrency"}]})",
               "How many messages of the queue are in work at once, whoever claims them."},
    schema_key{"concurrency", "queue", R"({"type": "integer", "minimum": 1, "maximum": 1000})", "Of the whole queue."},
    schema_key{"concurrency", "per_key", R"({"type": "integer", "minimum": 1, "maximum": 100})",
               "Of the messages that have the same key."},
    schema_key{"concurrency", "key", R"({"$ref": "#/$defs/name"})", "A field of the payload."},
    schema_key{"queue", "rate", R"({"$ref": "#/$defs/rate"})",
               "How many messages are handed out in a time, whoever claims them."},
    schema_key{"rate", "count", R"({"type": "integer", "minimum": 1, "maximum": 1000000})", "How many messages.", true},
    schema_key{"rate", "per", duration, "In this time, 1ms to 1d.", true},
    schema_key{"rate", "burst", R"({"type": "integer", "minimum": 1, "maximum": 1000000})",
               "At most so many at once. Default: what a tenth of a second brings, and at least 1."},

    schema_key{"stream", "doc", text, "What it is for; becomes a comment in the database and in C++."},
    schema_key{"stream", "retention", duration, "How long events are kept at least, 1s to 3650d. Default: 7d."},
    schema_key{"stream", "grants", R"({"$ref": "#/$defs/grants"})", "Which roles may do what."},
    schema_key{"stream", "payload", R"({"$ref": "#/$defs/payload"})", "The fields of an event, or \"jsonb\".", true},
    schema_key{"stream", "consumers", R"({"$ref": "#/$defs/consumers"})",
               "Who reads the stream and is waited for before events are cleared away, by name."},
    schema_key{"stream", "renamed_from", R"({"$ref": "#/$defs/name"})", "The name that the stream had before."},
    schema_key{"stream", "sunset", duration,
               "How long nobody may have used a contract before it can be retired, 1s to 366d. Default: 24h."},
    schema_key{"stream", "removed", R"({"$ref": "#/$defs/fields"})",
               "Fields that the payload had, with the default that programs of older contracts read."},
    schema_key{"stream", "accept_break", R"({"$ref": "#/$defs/accepted_break"})",
               "A change of the payload that older programs cannot follow, with the reason and an end."},

    schema_key{"consumer", "from", R"({"enum": ["start", "end"], "default": "start"})",
               "Where it begins: with the oldest event that is kept, or with what is published from then on."},
    schema_key{"consumer", "where", R"({"type": "string", "minLength": 1, "maxLength": 2000})",
               "Which events it gets: a condition of SQL over the fields of the payload, such as \"kind = 'signup'\"."},
    schema_key{"consumer", "workers", R"({"enum": ["single", "cooperative"], "default": "single"})",
               "Whether many workers share its cursor."},
    schema_key{"consumer", "lease", duration,
               "How long a worker of a cooperative consumer holds what it claims, 1s to 7d. Default: 30s."},
    schema_key{"consumer", "retry", R"({"$ref": "#/$defs/retry"})",
               "When an event that failed at a cooperative consumer comes again."},
    schema_key{
        "consumer", "ordered_by", R"({"$ref": "#/$defs/name"})",
        "A field of the payload: the workers of a cooperative consumer handle events that have the same value one "
        "at a time, in their order."},
    schema_key{"consumer", "on_failure", R"({"enum": ["block", "skip"], "default": "block"})",
               "Whether later events of a key wait for one that ran out of attempts, or go on without it."},

    schema_key{"schedule", "doc", text, "What it is for; quern_schedules() shows it."},
    schema_key{"schedule", "cron", R"({"type": "string", "minLength": 1})",
               "When it fires: minute, hour, day, month and weekday (\"0 9 * * mon-fri\"), or \"@daily\" and the like.",
               true},
    schema_key{"schedule", "zone",
               R"({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$",
                   "maxLength": 63, "default": "UTC"})",
               "The time zone whose clock is meant: Europe/Berlin. Default: UTC."},
    schema_key{"schedule", "queue", R"({"$ref": "#/$defs/name"})", "The queue that gets a message; else say 'stream'."},
    schema_key{"schedule", "stream", R"({"$ref": "#/$defs/name"})", "The stream that gets an event; else say 'queue'."},
    schema_key{"schedule", "payload", R"({"type": "object"})", "The fields of the message, of the present contract."},
    schema_key{"schedule", "catch_up", R"({"enum": ["none", "last", "all"], "default": "last"})",
               "What becomes of the times that passed while no scheduler ran."},
    schema_key{"schedule", "runner", R"({"enum": ["quern", "pg_cron"], "default": "quern"})",
               "Who makes it fire: `quern schedule`, or a job of pg_cron in the database."},

    schema_key{"accepted_break", "version", R"({"type": "integer", "minimum": 2, "maximum": 999})",
               "The contract that breaks.", true},
    schema_key{"accepted_break", "reason", R"({"type": "string", "minLength": 1})", "Why programs may break.", true},
    schema_key{"accepted_break", "until", text, "The last day on which it is accepted: 2027-01-31.", true},

    schema_key{"removed_queue", "messages", R"({"enum": ["keep", "discard"], "default": "keep"})",
               "Whether the queue is dropped although it holds messages."},

    schema_key{"removed_stream", "events", R"({"enum": ["keep", "discard"], "default": "keep"})",
               "Whether the stream is dropped although it holds events."},

    schema_key{"retry", "max_attempts", R"({"type": "integer", "minimum": 1, "maximum": 1000, "default": 8})",
               "After so many attempts a message is dead."},
    schema_key{"retry", "backoff", R"({"enum": ["constant", "linear", "exponential"], "default": "exponential"})",
               "How the delay grows from attempt to attempt."},
    schema_key{"retry", "initial", duration, "The delay after the first attempt, 1ms to 3650d. Default: 1s."},
    schema_key{"retry", "max", duration,
               "The longest delay, 1ms to 3650d. Default: 1h, or 'initial' if that is longer."},
    schema_key{"retry", "jitter", R"({"type": "number", "minimum": 0, "maximum": 1, "default": 0.2})",
               "The share of the delay that is random."},

    schema_key{"grants", "produce", roles, "May enqueue or publish."},
    schema_key{"grants", "consume", roles, "May claim and end attempts, or read."},
    schema_key{"grants", "operate", roles, "May look at, pause, purge and redrive."},

    schema_key{"field_table", "type", R"({"$ref": "#/$defs/type"})", "int64, text?, uuid[], numeric(10,2), an enum …",
               true},
    schema_key{"field_table", "default", "{}", "What a message has whose producer does not say."},
    schema_key{"field_table", "min", limit, "The smallest value, of numbers, dates, timestamps and intervals."},
    schema_key{"field_table", "max", limit, "The largest value, of numbers, dates, timestamps and intervals."},
    schema_key{"field_table", "max_length", R"({"type": "integer", "minimum": 1, "maximum": 1000000000})",
               "Characters of a text, bytes of bytes, elements of an array."},
    schema_key{"field_table", "pattern", text, "A regular expression of PostgreSQL that a text must match."},
    schema_key{"field_table", "renamed_from", R"({"$ref": "#/$defs/name"})", "The name that the field had before."},
    schema_key{"field_table", "doc", text, "What it holds; becomes a comment in the database and in C++."},
};

/// What is no table with keys of its own.
ordered_json other_definitions() {
  const std::string names = fmt::format("{}", fmt::join(declaration::base_type_names(), "|"));
  ordered_json made;
  made["name"] = ordered_json::parse(
      R"({"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$", "maxLength": 63,
          "description": "Lower-case letters, digits and single underscores, a letter first."})");
  made["duration"] = ordered_json::parse(
      R"({"type": "string", "minLength": 2,
          "pattern": "^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?$",
          "description": "Whole numbers with their units, the largest first: 30s, 1h30m, 7d.",
          "examples": ["30s", "5m", "1h30m", "7d"]})");
  made["type"] = {
      {"anyOf",
       {{{"enum", declaration::base_type_names()}},
        {{"type", "string"},
         {"pattern",
          fmt::format(R"(^(numeric *\( *[0-9]+ *(, *[0-9]+ *)?\)|{}|[a-z][a-z0-9_]*)(\??\[\])?\??$)", names)}}}},
      {"description", "A base type or an enum, also as T[] and T?."}};
  made["field"] = ordered_json::parse(R"({"anyOf": [{"$ref": "#/$defs/type"}, {"$ref": "#/$defs/field_table"}]})");
  made["payload"] = ordered_json::parse(fmt::format(
      R"({{"anyOf": [{{"const": "jsonb"}}, {{"type": "object", {},
          "additionalProperties": {{"$ref": "#/$defs/field"}}, "minProperties": 1, "maxProperties": 99}}]}})",
      any_of_name));
  for (const auto& [plural, singular] :
       {std::pair{"enums", "enum"}, std::pair{"queues", "queue"}, std::pair{"removed_queues", "removed_queue"},
        std::pair{"streams", "stream"}, std::pair{"removed_streams", "removed_stream"},
        std::pair{"consumers", "consumer"}, std::pair{"schedules", "schedule"}, std::pair{"fields", "field"}})
    made[plural] = ordered_json::parse(fmt::format(
        R"({{"type": "object", {}, "additionalProperties": {{"$ref": "#/$defs/{}"}}}})", any_of_name, singular));
  return made;
}

ordered_json empty_table() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", ordered_json::object()}};
}

void add(ordered_json& table, const schema_key& key) {
  ordered_json value = ordered_json::parse(key.value);
  value["description"] = key.doc;
  table["properties"][std::string{key.name}] = std::move(value);
  if (key.is_required) table["required"].push_back(key.name);
}

}  // namespace

std::string declaration_schema() {
  ordered_json made{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "quern.toml"},
                    {"description", "The declaration of typed queues and streams in PostgreSQL."}};
  made.update(empty_table());
  ordered_json definitions = other_definitions();
  for (const schema_key& key : keys) {
    if (key.table.empty()) {
      add(made, key);
      continue;
    }
    ordered_json& table = definitions[std::string{key.table}];
    if (table.is_null()) table = empty_table();
    add(table, key);
  }
  made["$defs"] = std::move(definitions);
  return made.dump(2) + "\n";
}

}  // namespace check
