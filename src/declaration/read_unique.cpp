#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "declaration/codes.hpp"
#include "declaration/duration.hpp"
#include "declaration/keys.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array unique_keys{"fields"sv, "while"sv, "within"sv};
constexpr std::array states{"pending"sv};

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t longest_window = 366 * day;

// An index of PostgreSQL has at most 32 columns, and an entry of a B-tree at most 2704 bytes.
constexpr std::size_t most_fields = 32;
constexpr std::int64_t most_bytes = 2600;

constexpr std::int64_t bytes_per_character = 4;

/// How many bytes a value takes at most; nothing when it has no limit.
std::optional<std::int64_t> most_bytes_of(const field& of) {
  switch (of.type.base) {
    case base_type::text:
      if (!of.constraints.max_length) return std::nullopt;
      return 4 + bytes_per_character * *of.constraints.max_length;
    case base_type::bytes:
      if (!of.constraints.max_length) return std::nullopt;
      return 4 + *of.constraints.max_length;
    case base_type::numeric:
      if (of.type.precision == 0) return std::nullopt;
      return 12 + of.type.precision / 2;
    default:
      return 16;
  }
}

/// Why values of the type cannot say which messages are the same; empty when they can.
std::string_view obstacle(const field_type& type) {
  if (type.is_array) return "arrays hold several values";
  switch (type.base) {
    case base_type::float32:
    case base_type::float64:
      return "floating numbers that mean the same can differ in their last digit";
    case base_type::interval:
      return "PostgreSQL takes 1 month and 30 days for the same";
    case base_type::jsonb:
      return "JSON that means the same can be written in many ways";
    default:
      return {};
  }
}

class unique_reader {
 public:
  unique_reader(const entry& from, const queue& of, const entry* payload, std::string_view title, report& problems)
      : from_{from}, queue_{of}, payload_{payload}, title_{fmt::format("'unique' of {}", title)}, problems_{problems} {}

  std::optional<unique_rule> read() {
    result_.where = from_.where;
    if (!check_kind(from_, node_kind::table, "a table: { fields = [\"order_id\"], while = \"pending\" }", problems_)) {
      return std::nullopt;
    }
    check_keys(from_.value, {unique_keys, {}}, title_, problems_);
    read_fields();
    read_time();
    return is_sound_ ? std::optional{std::move(result_)} : std::nullopt;
  }

 private:
  text::diagnostic& refuse(std::string_view code, const text::span& where, std::string message) {
    is_sound_ = false;
    return problems_.error(code, where, std::move(message));
  }

  void read_fields() {
    const auto* fields = find_entry(from_.value, "fields");
    if (fields == nullptr) {
      refuse(code::missing_key, from_.where, fmt::format("{} has no 'fields'", title_)).help =
          "say which fields are the same in messages of which there is to be one: fields = [\"order_id\"]";
      return;
    }
    const auto names = read_strings(*fields, "an array of fields: [\"order_id\"]", problems_);
    if (fields->value.kind == node_kind::array && fields->value.items.empty()) {
      refuse(code::no_fields, fields->value.where, fmt::format("'fields' of {} is empty", title_)).help =
          "name at least one field of the payload";
    }
    if (names.size() > most_fields) {
      refuse(code::too_many_fields, names[most_fields]->where,
             fmt::format("{} has {} fields; {} are the most", title_, names.size(), most_fields));
    }
    for (const auto* name : names) read_field(*name);
    check_size(*fields);
  }

  void read_field(const node& name) {
    if (queue_.is_schemaless) {
      refuse(code::unknown_field, name.where, "a payload of \"jsonb\" has no fields").help =
          "declare what makes messages the same as fields, and the rest as one of type jsonb";
      return;
    }
    const auto& all = queue_.payload;
    const auto found = std::find_if(all.begin(), all.end(), [&](const field& one) { return one.name == name.text; });
    if (found == all.end()) return refuse_unknown(name);
    const auto& known = result_.fields;
    if (std::find(known.begin(), known.end(), name.text) != known.end()) {
      refuse(code::duplicate_value, name.where, fmt::format("'{}' stands twice in 'fields' of {}", name.text, title_));
      return;
    }
    result_.fields.push_back(name.text);
    if (const auto why = obstacle(found->type); !why.empty()) {
      refuse(code::unfit_key, name.where,
             fmt::format("'{}' is of type {}, which cannot say whether messages are the same: {}", name.text,
                         spell(found->type), why))
          .help = "use fields of whole numbers, numeric(p,s), text, bytes, uuid, date, timestamp, bool or an enum";
    } else if (const auto most = most_bytes_of(*found)) {
      bytes_ += *most;
    } else {
      const bool is_numeric = found->type.base == base_type::numeric;
      refuse(code::unfit_key, name.where,
             fmt::format("'{}' has no limit: an index of PostgreSQL takes {} bytes", name.text, most_bytes))
          .help = is_numeric ? fmt::format("give it a precision: {} = \"numeric(20,2)\"", name.text)
                             : fmt::format("give it one: {} = {{ type = \"{}\", max_length = 200 }}", name.text,
                                           spell(found->type));
    }
  }

  void refuse_unknown(const node& name) {
    is_sound_ = false;
    // A field of which something is wrong has been reported.
    if (payload_ != nullptr && find_entry(payload_->value, name.text) != nullptr) return;
    std::vector<std::string_view> names;
    names.reserve(queue_.payload.size());
    for (const auto& one : queue_.payload) names.push_back(one.name);
    auto& problem = refuse(code::unknown_field, name.where,
                           fmt::format("there is no field '{}' in the payload", text::clipped(name.text)));
    if (const auto better = text::nearest_name(name.text, names))
      problem.help = fmt::format("did you mean '{}'?", *better);
  }

  void check_size(const entry& fields) {
    if (!is_sound_ || bytes_ <= most_bytes) return;
    refuse(code::unfit_key, fields.value.where,
           fmt::format("the fields take up to {} bytes together; an index of PostgreSQL takes {}", bytes_, most_bytes))
        .help = "a character takes up to 4 bytes: lower 'max_length', or name fewer fields";
  }

  void read_time() {
    const auto* state = find_entry(from_.value, "while");
    const auto* within = find_entry(from_.value, "within");
    if (state == nullptr && within == nullptr) {
      refuse(code::missing_key, from_.where, fmt::format("{} does not say for how long", title_)).help =
          "write while = \"pending\" (until the message has ended), or within = \"1h\" (since it was enqueued)";
    } else if (state != nullptr && within != nullptr) {
      refuse(code::useless_key, within->where, "'while' and 'within' exclude each other").help =
          "remove one of the two";
    } else if (state != nullptr) {
      is_sound_ = read_choice(*state, states, problems_).has_value() && is_sound_;
    } else {
      result_.within = read_duration(*within, second, longest_window, problems_);
      is_sound_ = result_.within.has_value() && is_sound_;
    }
  }

  const entry& from_;
  const queue& queue_;
  const entry* payload_;
  std::string title_;
  report& problems_;
  unique_rule result_;
  std::int64_t bytes_ = 0;
  bool is_sound_ = true;
};

}  // namespace

std::optional<unique_rule> read_unique(const entry& from, const queue& of, const entry* payload, std::string_view title,
                                       report& problems) {
  return unique_reader{from, of, payload, title, problems}.read();
}

}  // namespace declaration
