#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/cron.hpp"
#include "declaration/keys.hpp"
#include "declaration/names.hpp"
#include "declaration/payload_json.hpp"
#include "declaration/read_parts.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array schedule_keys{"doc"sv,    "cron"sv,    "zone"sv,     "queue"sv,
                                   "stream"sv, "payload"sv, "catch_up"sv, "runner"sv};
constexpr std::array policies{"none"sv, "last"sv, "all"sv};
constexpr std::array runners{"quern"sv, "pg_cron"sv};
constexpr std::size_t longest_zone = 63;

/// A name of the time zone database: Europe/Berlin, Etc/GMT+5. Whether there is such a zone the server knows.
bool is_zone(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool begins = true;
  for (const char c : name) {
    if (begins && !is_letter(c)) return false;
    begins = c == '/';
    const bool is_plain = is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
    if (!is_plain && c != '/') return false;
  }
  return !begins && name.size() <= longest_zone;
}

class schedule_reader {
 public:
  schedule_reader(const entry& from, const node& root, const project& declared, const known_enumerations& known,
                  report& problems)
      : from_{from}, root_{root}, declared_{declared}, known_{known}, problems_{problems} {}

  std::optional<schedule> read() {
    result_.name = from_.key;
    result_.where = from_.where;
    check_name(from_.key, name_role::schedule, from_.where, problems_);
    if (!check_kind(from_, node_kind::table, fmt::format("a table: {}", title()), problems_)) return std::nullopt;
    check_keys(from_.value, {schedule_keys, {}}, title(), problems_);
    if (const auto* doc = find("doc")) result_.doc = read_text(*doc, "a string", problems_).value_or("");
    read_cron();
    if (const auto* zone = find("zone")) read_zone(*zone);
    if (const auto* policy = find("catch_up")) {
      if (const auto choice = read_choice(*policy, policies, problems_))
        result_.catch_up = static_cast<catch_up_policy>(*choice);
    }
    if (const auto* runner = find("runner")) {
      if (const auto choice = read_choice(*runner, runners, problems_))
        result_.runner = static_cast<schedule_runner>(*choice);
    }
    if (const auto* target = read_target()) read_payload(*target);
    return std::move(result_);
  }

 private:
  const entry* find(std::string_view key) const { return find_entry(from_.value, key); }

  std::string title() const { return fmt::format("[schedules.{}]", text::clipped(from_.key)); }

  void read_cron() {
    const auto* from = find("cron");
    if (from == nullptr) {
      problems_.error(code::missing_key, from_.where, fmt::format("{} has no 'cron'", title())).help =
          "write when it fires: cron = \"0 9 * * mon-fri\" (minute, hour, day, month, weekday)";
      return;
    }
    const auto written = read_text(*from, "a string such as \"0 9 * * *\"", problems_);
    if (!written) return;
    for (const auto& one : parse_cron(*written).problems) {
      problems_.error(code::invalid_cron, place_of(from->value, one.offset, one.size), one.message).help = one.help;
    }
    result_.cron = *written;
  }

  void read_zone(const entry& from) {
    const auto written = read_text(from, "the name of a time zone such as \"Europe/Berlin\"", problems_);
    if (!written) return;
    result_.zone = *written;
    if (is_zone(*written)) return;
    problems_
        .error(code::invalid_zone, from.value.where,
               fmt::format("'{}' is no name of a time zone", text::clipped(*written)))
        .help = "a name of the time zone database such as \"Europe/Berlin\", \"UTC\" or \"Etc/GMT-2\"";
  }

  const queue* read_target() {
    const auto* queue_key = find("queue");
    const auto* stream_key = find("stream");
    if (queue_key == nullptr && stream_key == nullptr) {
      problems_.error(code::missing_key, from_.where, fmt::format("{} has no 'queue' and no 'stream'", title()));
      return nullptr;
    }
    if (queue_key != nullptr && stream_key != nullptr) {
      problems_.error(code::useless_key, stream_key->where, fmt::format("{} has a 'queue' and a 'stream'", title()))
          .help = "a schedule serves one of both: declare another one for the other";
      return nullptr;
    }
    const bool is_stream = stream_key != nullptr;
    const auto& from = is_stream ? *stream_key : *queue_key;
    const auto name = read_text(from, fmt::format("the name of a {}", from.key), problems_);
    if (!name) return nullptr;
    result_.target = *name;
    return find_target(from, *name, is_stream);
  }

  const queue* find_target(const entry& from, const std::string& name, bool is_stream) {
    std::vector<std::string_view> names;
    for (const auto& each : declared_.queues) {
      if (each.name == name && each.stream.has_value() == is_stream) return &each;
      if (each.stream.has_value() == is_stream) names.push_back(each.name);
    }
    auto& problem = problems_.error(code::unknown_target, from.value.where,
                                    fmt::format("there is no {} '{}'", from.key, text::clipped(name)));
    const auto is_other = [&](const queue& one) { return one.name == name; };
    if (std::ranges::any_of(declared_.queues, is_other)) {
      problem.help = fmt::format("it is a {0}: write {0} = \"{1}\"", is_stream ? "queue" : "stream", name);
    } else if (const auto better = text::nearest_name(name, names)) {
      problem.help = fmt::format("did you mean \"{}\"?", *better);
    }
    return nullptr;
  }

  void read_payload(const queue& target) {
    if (const auto* from = find("payload")) {
      result_.payload = read_payload_json(*from, target, payload_of(target), known_, problems_).value_or("");
      return;
    }
    result_.payload = "{}";
    const auto missing = required_fields(target);
    if (missing.empty()) return;
    problems_
        .error(code::missing_key, from_.where,
               fmt::format("{} has no 'payload', and the {} '{}' needs '{}'", title(),
                           target.stream ? "stream" : "queue", target.name, fmt::join(missing, "', '")))
        .help = fmt::format("write payload = {{ {} = ... }}", missing.front());
  }

  /// Its table, where it has one.
  const entry* payload_of(const queue& target) const {
    const auto* all = find_entry(root_, target.stream ? "streams" : "queues");
    const auto* one = all == nullptr ? nullptr : find_entry(all->value, target.name);
    return one == nullptr ? nullptr : find_entry(one->value, "payload");
  }

  const entry& from_;
  const node& root_;
  const project& declared_;
  const known_enumerations& known_;
  report& problems_;
  schedule result_;
};

}  // namespace

std::vector<schedule> read_schedules(const node& root, const project& declared, const known_enumerations& known,
                                     report& problems) {
  std::vector<schedule> result;
  const auto* from = find_entry(root, "schedules");
  if (from == nullptr || !check_kind(*from, node_kind::table, "a table of schedules: [schedules.<name>]", problems))
    return result;
  for (const auto& each : from->value.entries) {
    auto read = schedule_reader{each, root, declared, known, problems}.read();
    if (read) result.push_back(*std::move(read));
  }
  return result;
}

}  // namespace declaration
