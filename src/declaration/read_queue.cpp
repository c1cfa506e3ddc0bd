#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/generated_names.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/roles.hpp"
#include "declaration/values.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array queue_keys{"doc"sv,        "lease"sv,       "sunset"sv,       "retry"sv,     "dead_letter"sv,
                                "priorities"sv, "ordered_by"sv,  "on_failure"sv,   "storage"sv,   "grants"sv,
                                "payload"sv,    "removed"sv,     "accept_break"sv, "unique"sv,    "renamed_from"sv,
                                "expires"sv,    "concurrency"sv, "rate"sv,         "keep_done"sv, "headers"sv};
constexpr std::array stream_keys{"doc"sv,     "retention"sv,    "sunset"sv,    "grants"sv,      "payload"sv,
                                 "removed"sv, "accept_break"sv, "consumers"sv, "renamed_from"sv};
constexpr std::array misplaced_stream_keys{"ordered_by"sv};
constexpr std::array break_keys{"version"sv, "reason"sv, "until"sv};
constexpr std::array grant_keys{"produce"sv, "consume"sv, "operate"sv};
constexpr std::array storages{"rows"sv, "log"sv};

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t longest_sunset = 366 * day;

// A function of PostgreSQL has at most 100 parameters; enqueue needs one for the delay, and perhaps one for the
// priority and one for the headers.
constexpr std::size_t most_parameters = 100;

// What stands beside the payload of an event, besides what is reserved everywhere.
constexpr std::array event_metadata{"event_offset"sv, "batch"sv,        "published_at"sv, "segment"sv,
                                    "stamp"sv,        "event_number"sv, "consumer"sv,     "claim_id"sv,
                                    "session_key"sv,  "failed_at"sv,    "order_key"sv};

/// Reads queues, and streams, which have settings instead of leases, retries and dead letters.
class queue_reader {
 public:
  queue_reader(const entry& from, std::optional<stream_settings> stream, const known_enumerations& known,
               report& problems)
      : from_(from), known_(known), problems_(problems) {
    result_.stream = std::move(stream);
    if (result_.stream) result_.dead_letter = false;
  }

  queue read() {
    result_.name = from_.key;
    result_.where = from_.where;
    if (check_name(from_.key, role(), from_.where, problems_)) check_name_length();
    if (!check_kind(from_, node_kind::table, fmt::format("a table: {}", title()), problems_)) return std::move(result_);
    if (result_.stream) {
      check_keys(from_.value, {stream_keys, {}, misplaced_stream_keys}, title(), problems_);
      read_stream_keys();
    } else {
      check_keys(from_.value, {queue_keys, {}}, title(), problems_);
    }
    read_plain_keys();
    if (const auto* retry = find("retry")) result_.retry = declaration::read_retry(*retry, title(), problems_);
    if (const auto* grants = find("grants")) read_grants(*grants);
    read_payload();
    if (const auto* consumers = find("consumers"); consumers != nullptr && result_.stream) {
      read_filters(*consumers, result_, find("payload"), known_, problems_);
      read_orders(*consumers, result_, find("payload"), problems_);
    }
    if (const auto* unique = find("unique")) {
      result_.unique = read_unique(*unique, result_, find("payload"), title(), problems_);
    }
    if (const auto* concurrency = find("concurrency"); concurrency != nullptr && !result_.stream)
      result_.concurrency = read_concurrency(*concurrency, title(), problems_);
    if (const auto* rate = find("rate"); rate != nullptr && !result_.stream)
      result_.rate = read_rate(*rate, title(), problems_);
    if (!result_.stream) result_.order = read_order(from_.value, result_, problems_);
    if (const auto* concurrency = find("concurrency"); concurrency != nullptr && !result_.stream) {
      auto limit = read_key_limit(*concurrency, result_, find("payload"), problems_);
      if (limit) result_.order = std::move(limit);
    }
    if (const auto* removed = find("removed")) read_removed(*removed);
    if (const auto* breaks = find("accept_break")) read_break(*breaks);
    return std::move(result_);
  }

 private:
  const entry* find(std::string_view key) const { return find_entry(from_.value, key); }

  std::string_view kind() const { return result_.stream ? "stream" : "queue"; }

  name_role role() const { return result_.stream ? name_role::stream : name_role::queue; }

  std::string title() const { return fmt::format("[{}s.{}]", kind(), text::clipped(from_.key)); }

  void check_name_length() {
    const auto suffix = result_.stream ? longest_stream_suffix() : longest_queue_suffix();
    const auto longest = longest_identifier - suffix;
    if (result_.name.size() <= longest) return;
    auto& problem = problems_.error(code::name_too_long, from_.where,
                                    fmt::format("the {} name '{}' has {} bytes; {} are the most", kind(), result_.name,
                                                result_.name.size(), longest));
    problem.help = fmt::format("the names that are made from it have up to {} bytes more, and PostgreSQL's end at {}",
                               suffix, longest_identifier);
  }

  void read_stream_keys() {
    auto& stream = *result_.stream;
    if (const auto* retention = find("retention"))
      stream.retention = read_duration(*retention, second, longest_duration, problems_).value_or(stream.retention);
    if (const auto* order = find("ordered_by")) {
      problems_.error(code::invalid_order, order->where, "a stream is in one order as it is").help =
          "workers keep that of each key where it is said of them: in [streams.<name>.consumers.<name>], with workers "
          "= "
          "\"cooperative\"";
    }
    if (const auto* consumers = find("consumers")) stream.consumers = read_consumers(*consumers, from_.key, problems_);
  }

  void read_plain_keys() {
    if (const auto* doc = find("doc")) result_.doc = read_text(*doc, "a string", problems_).value_or("");
    if (const auto* lease = find("lease")) {
      result_.lease = read_duration(*lease, second, longest_lease, problems_).value_or(result_.lease);
    }
    if (const auto* sunset = find("sunset")) {
      result_.sunset = read_duration(*sunset, second, longest_sunset, problems_).value_or(result_.sunset);
    }
    if (const auto* dead = find("dead_letter")) {
      result_.dead_letter = read_boolean(*dead, problems_).value_or(result_.dead_letter);
    }
    if (const auto* expires = find("expires"))
      result_.expires = read_duration(*expires, second, longest_duration, problems_);
    if (const auto* priorities = find("priorities")) {
      result_.priorities = static_cast<int>(read_whole(*priorities, 2, most_priorities, problems_).value_or(0));
    }
    if (const auto* headers = find("headers")) result_.has_headers = read_boolean(*headers, problems_).value_or(false);
    if (const auto* keep = find("keep_done"))
      result_.keep_done = read_duration(*keep, second, longest_duration, problems_);
    if (const auto* storage = find("storage")) read_storage(*storage);
    if (const auto* former = find("renamed_from")) read_renaming(*former);
  }

  void read_renaming(const entry& from) {
    const auto before = read_text(from, "the former name as a string", problems_);
    if (!before || !check_name(*before, role(), from.value.where, problems_)) return;
    if (*before != result_.name) {
      result_.renamed_from = *before;
      result_.renamed_where = from.where;
      return;
    }
    problems_.error(code::useless_key, from.where,
                    fmt::format("'renamed_from' has no effect: '{}' is the name of the {}", *before, kind()));
  }

  void read_storage(const entry& from) {
    const auto choice = read_choice(from, storages, problems_);
    result_.is_log = choice && storages[*choice] == "log";
    if (!result_.is_log) return;
    refuse_beside_log("priorities", "a log hands messages out in the order in which they were committed");
    refuse_beside_log("unique", "what is pending would have to be found by its key, and a log has no index by keys");
    refuse_beside_log("keep_done", "what is handled goes with the whole of its segment, and is not looked at again");
    refuse_beside_log("ordered_by", "a log hands out ranges, whose messages may be of the same key");
    refuse_beside_log("concurrency", "a log hands out ranges, and one claim may hold any number of messages");
    refuse_beside_log("rate", "a log hands out ranges, whose messages nobody has counted before");
  }

  void refuse_beside_log(std::string_view key, std::string_view reason) {
    const auto* beside = find(key);
    if (beside == nullptr) return;
    problems_
        .error(code::invalid_storage, beside->where,
               fmt::format("'{}' is not possible beside storage = \"log\": {}", key, reason))
        .help = fmt::format("leave '{}' away, or write storage = \"rows\"", key);
  }

  void read_grants(const entry& from) {
    if (!check_kind(from, node_kind::table, "a table: { produce = [\"web\"], ... }", problems_)) return;
    check_keys(from.value, {grant_keys, {}}, fmt::format("'grants' of {}", title()), problems_);
    const auto read = [&](std::string_view key, std::vector<std::string>& roles) {
      if (const auto* list = find_entry(from.value, key)) roles = read_roles(*list, problems_);
    };
    read("produce", result_.grants.produce);
    read("consume", result_.grants.consume);
    read("operate", result_.grants.operate);
  }

  void read_payload() {
    const auto* payload = find("payload");
    if (payload == nullptr) {
      auto& problem = problems_.error(code::missing_key, from_.where, fmt::format("{} has no payload", title()));
      problem.help = fmt::format("add a table [{}s.{}.payload] with the fields, or payload = \"jsonb\"", kind(),
                                 text::clipped(from_.key));
    } else if (payload->value.kind == node_kind::string && payload->value.text == "jsonb") {
      result_.is_schemaless = true;
    } else if (check_kind(*payload, node_kind::table, "a table of fields, or \"jsonb\"", problems_)) {
      read_fields(*payload);
    }
  }

  void read_fields(const entry& payload) {
    const auto& fields = payload.value.entries;
    if (fields.empty()) {
      auto& problem =
          problems_.error(code::no_fields, payload.where, fmt::format("the payload of {} has no fields", title()));
      problem.help = "write at least one, such as order_id = \"int64\"; payload = \"jsonb\" takes any JSON";
    }
    const std::size_t most_fields =
        most_parameters - 1 - (result_.priorities > 0 ? 1 : 0) - (result_.has_headers ? 1 : 0);
    if (fields.size() > most_fields) {
      auto& problem = problems_.error(
          code::too_many_fields, fields[most_fields].where,
          fmt::format("the payload of {} has {} fields; {} are the most", title(), fields.size(), most_fields));
      problem.help = "a function of PostgreSQL has at most 100 parameters; a field of type jsonb can hold many values";
    }
    result_.payload.reserve(fields.size());
    for (const auto& each : fields) {
      if (result_.stream) refuse_metadata(each);
      if (result_.is_log) refuse_log_column(each);
      if (auto field = read_field(each, result_.name, known_, problems_)) result_.payload.push_back(*std::move(field));
    }
    if (result_.priorities > 0) refuse_field("priority", "priorities");
    if (result_.has_headers) refuse_field("headers", "headers");
  }

  /// A name that is the payload's, unless the queue has the option.
  void refuse_field(std::string_view name, std::string_view option) {
    for (const auto& each : result_.payload) {
      if (each.name != name) continue;
      problems_.error(code::reserved_name, each.where,
                      fmt::format("the field name '{}' is reserved: in a queue with '{}' it is a part of every "
                                  "message's metadata",
                                  name, option));
    }
  }

  void refuse_metadata(const entry& field) {
    if (std::find(event_metadata.begin(), event_metadata.end(), field.key) == event_metadata.end()) return;
    problems_.error(code::reserved_name, field.where,
                    fmt::format("the field name '{}' is reserved: it is a part of every event's metadata", field.key));
  }

  void refuse_log_column(const entry& field) {
    if (field.key != "segment" && field.key != "stamp") return;
    problems_.error(code::reserved_name, field.where,
                    fmt::format("the field name '{}' is reserved: in a queue with storage = \"log\" it is a part of "
                                "every message's metadata",
                                field.key));
  }

  /// What the payload had: what older programs read from now on is the default of each.
  void read_removed(const entry& from) {
    if (!check_kind(from, node_kind::table, "a table of fields: { note = { type = \"text\", default = \"\" } }",
                    problems_))
      return;
    for (const auto& each : from.value.entries) {
      auto field = read_field(each, result_.name, known_, problems_);
      if (!field) continue;
      if (!field->renamed_from.empty()) {
        problems_.error(code::useless_key, find_entry(each.value, "renamed_from")->where,
                        fmt::format("'renamed_from' has no effect: the field '{}' is removed", field->name));
      } else if (has_field(field->name)) {
        problems_.error(code::duplicate_key, each.where,
                        fmt::format("the field '{}' is in the payload: it is not removed", field->name));
      } else if (find_entry(each.value, "default") == nullptr && !field->type.is_optional) {
        auto& problem = problems_.error(code::missing_key, each.where,
                                        fmt::format("the removed field '{}' has no 'default'", field->name));
        problem.help = "programs of the older contract read it from messages that do not have the field any more";
      } else {
        result_.removed.push_back(*std::move(field));
      }
    }
  }

  bool has_field(std::string_view name) const {
    return std::any_of(result_.payload.begin(), result_.payload.end(),
                       [&](const field& each) { return each.name == name; });
  }

  void read_break(const entry& from) {
    constexpr auto form = "a table: { version = 2, reason = \"why\", until = \"2027-01-31\" }";
    if (!check_kind(from, node_kind::table, form, problems_)) return;
    check_keys(from.value, {break_keys, {}}, fmt::format("'accept_break' of {}", title()), problems_);
    accepted_break accepted;
    accepted.where = from.where;
    for (const auto key : break_keys) {
      if (find_entry(from.value, key) != nullptr) continue;
      problems_.error(code::missing_key, from.where, fmt::format("'accept_break' of {} has no '{}'", title(), key))
          .help = form;
      return;
    }
    accepted.version =
        static_cast<int>(read_whole(*find_entry(from.value, "version"), 2, highest_version, problems_).value_or(0));
    const auto& reason = *find_entry(from.value, "reason");
    accepted.reason = read_text(reason, "a string", problems_).value_or("");
    if (reason.value.kind == node_kind::string && accepted.reason.empty())
      problems_.error(code::invalid_value, reason.value.where, "'reason' is empty: say why programs may break");
    const auto& until = *find_entry(from.value, "until");
    // A date as it is written in TOML or in a string.
    const auto date =
        read_value({until.key, until.where, as_string(until.value)}, {.base = base_type::date}, problems_);
    if (!date) return;
    accepted.until = std::get<std::string>(*date);
    result_.breaks = std::move(accepted);
  }

  static node as_string(node from) {
    if (from.kind == node_kind::date_time) from.kind = node_kind::string;
    return from;
  }

  const entry& from_;
  const known_enumerations& known_;
  report& problems_;
  queue result_;
};

}  // namespace

queue read_queue(const entry& from, const known_enumerations& known, report& problems) {
  return queue_reader(from, {}, known, problems).read();
}

queue read_stream(const entry& from, const known_enumerations& known, report& problems) {
  return queue_reader(from, stream_settings{}, known, problems).read();
}

}  // namespace declaration
