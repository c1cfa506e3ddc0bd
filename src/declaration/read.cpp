#include "declaration/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "declaration/codes.hpp"
#include "declaration/keys.hpp"
#include "declaration/name_registry.hpp"
#include "declaration/names.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/report.hpp"
#include "declaration/toml.hpp"
#include "text/excerpt.hpp"
#include "text/file.hpp"
#include "text/utf8.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

constexpr std::array top_keys{"project"sv,        "enums"sv,           "queues"sv,   "streams"sv,
                              "removed_queues"sv, "removed_streams"sv, "schedules"sv};
constexpr std::array removed_queue_keys{"messages"sv};
constexpr std::array removed_stream_keys{"events"sv};
constexpr std::array message_choices{"keep"sv, "discard"sv};
constexpr std::array project_keys{"name"sv, "schema"sv, "namespace"sv, "postgres"sv};

constexpr std::int64_t oldest_postgres = 14;
constexpr std::int64_t newest_postgres = 18;

constexpr std::string_view minimal_declaration =
    "a small one is:\n"
    "  [project]\n"
    "  name = \"shop\"\n"
    "\n"
    "  [queues.email.payload]\n"
    "  order_id = \"int64\"\n"
    "  subject  = \"text\"";

class declaration_reader {
 public:
  declaration_reader(const node& root, report& problems) : root_(root), problems_(problems) {}

  project read() {
    check_keys(root_, {top_keys, {}}, "a declaration", problems_);
    read_project();
    const auto known = read_enumerations();
    read_queues(known);
    read_streams(known);
    read_removed(false);
    read_removed(true);
    result_.schedules = read_schedules(root_, result_, known, problems_);
    if (!result_.schema.empty()) check_channels();
    check_collisions(result_, {}, problems_);
    const bool is_empty = result_.enumerations.empty() && result_.queues.empty() && result_.removed_queues.empty();
    if (is_empty && problems_.is_empty()) refuse_nothing();
    return std::move(result_);
  }

 private:
  void read_project() {
    const auto* from = find_entry(root_, "project");
    if (from == nullptr) {
      auto& problem = problems_.error(code::missing_key, {{1, 1}, {1, 2}}, "there is no [project]");
      problem.help = "begin with:\n  [project]\n  name = \"shop\"";
      return;
    }
    if (!check_kind(*from, node_kind::table, "a table: [project]", problems_)) return;
    check_keys(from->value, {project_keys, {}}, "[project]", problems_);
    read_names(*from);
    if (const auto* postgres = find_entry(from->value, "postgres")) {
      result_.postgres = static_cast<int>(
          read_whole(*postgres, oldest_postgres, newest_postgres, problems_).value_or(result_.postgres));
    }
  }

  void read_names(const entry& from) {
    const auto* name = find_entry(from.value, "name");
    const auto* schema = find_entry(from.value, "schema");
    const auto* cpp_namespace = find_entry(from.value, "namespace");
    if (name == nullptr) {
      problems_.error(code::missing_key, from.where, "[project] has no 'name'");
    } else if (const auto written = read_text(*name, "a string", problems_)) {
      if (check_name(*written, name_role::project, name->value.where, problems_)) result_.name = *written;
    }
    read_schema(schema != nullptr ? schema : name, schema != nullptr);
    read_namespace(cpp_namespace != nullptr ? cpp_namespace : name, cpp_namespace != nullptr);
  }

  /// The project's name has been looked at; as a schema or namespace it has further rules to hold.
  void read_schema(const entry* from, bool is_own) {
    if (from == nullptr || (!is_own && result_.name.empty())) return;
    const auto written = read_text(*from, "a string", problems_);
    if (written && check_name(*written, name_role::schema, from->value.where, problems_)) result_.schema = *written;
  }

  void read_namespace(const entry* from, bool is_own) {
    if (from == nullptr || (!is_own && result_.name.empty())) return;
    const auto written = read_text(*from, "a string", problems_);
    if (!written) return;
    std::string_view rest = *written;
    for (bool is_last = false; !is_last;) {
      const auto end = rest.find("::");
      is_last = end == std::string_view::npos;
      if (!check_name(rest.substr(0, end), name_role::cpp_namespace, from->value.where, problems_)) return;
      if (!is_last) rest.remove_prefix(end + 2);
    }
    result_.cpp_namespace = *written;
  }

  known_enumerations read_enumerations() {
    known_enumerations known;
    known.declared = &result_.enumerations;
    const auto* from = find_entry(root_, "enums");
    if (from == nullptr || !check_kind(*from, node_kind::table, "a table of enums: [enums.<name>]", problems_))
      return known;
    result_.enumerations.reserve(from->value.entries.size());
    for (const auto& each : from->value.entries) {
      result_.enumerations.push_back(read_enumeration(each, problems_));
      known.names.push_back(each.key);
    }
    return known;
  }

  void read_queues(const known_enumerations& known) {
    const auto* from = find_entry(root_, "queues");
    if (from == nullptr || !check_kind(*from, node_kind::table, "a table of queues: [queues.<name>]", problems_))
      return;
    result_.queues.reserve(from->value.entries.size());
    for (const auto& each : from->value.entries) result_.queues.push_back(read_queue(each, known, problems_));
  }

  void read_streams(const known_enumerations& known) {
    const auto* from = find_entry(root_, "streams");
    if (from == nullptr || !check_kind(*from, node_kind::table, "a table of streams: [streams.<name>]", problems_))
      return;
    for (const auto& each : from->value.entries) result_.queues.push_back(read_stream(each, known, problems_));
  }

  void read_removed(bool is_stream) {
    const std::string_view kind = is_stream ? "stream" : "queue";
    const auto key = fmt::format("removed_{}s", kind);
    const auto* from = find_entry(root_, key);
    if (from == nullptr ||
        !check_kind(*from, node_kind::table, fmt::format("a table of {}s: [{}.<name>]", kind, key), problems_))
      return;
    for (const auto& each : from->value.entries) {
      const auto title = fmt::format("[{}.{}]", key, text::clipped(each.key));
      if (!check_kind(each, node_kind::table, fmt::format("a table: {}", title), problems_)) continue;
      check_keys(each.value, {is_stream ? removed_stream_keys : removed_queue_keys, {}}, title, problems_);
      removed_queue removed{each.key, is_stream, false, each.where};
      if (const auto* messages = find_entry(each.value, is_stream ? "events" : "messages")) {
        const auto choice = read_choice(*messages, message_choices, problems_);
        removed.discards_messages = choice && message_choices[*choice] == "discard";
      }
      const auto is_declared = [&](const queue& one) { return one.name == each.key; };
      if (std::any_of(result_.queues.begin(), result_.queues.end(), is_declared)) {
        problems_.error(code::duplicate_key, each.where,
                        fmt::format("the {} '{}' is declared: it is not removed", kind, text::clipped(each.key)));
      }
      result_.removed_queues.push_back(std::move(removed));
    }
  }

  /// Consumers listen on a channel, whose name ends where identifiers end.
  void check_channels() {
    for (const auto& each : result_.queues) {
      const auto size = result_.schema.size() + 1 + each.name.size();
      if (size <= longest_identifier || each.name.size() > longest_identifier) continue;
      auto& problem = problems_.error(code::name_too_long, each.where,
                                      fmt::format("the channel '{}.{}' would have a name of {} bytes; {} are the most",
                                                  result_.schema, each.name, size, longest_identifier));
      problem.help = fmt::format("shorten the name of the queue or of the schema by {}", size - longest_identifier);
    }
  }

  void refuse_nothing() {
    auto& problem = problems_.error(code::nothing_declared, find_entry(root_, "project")->where,
                                    "the project declares no queue, no stream and no enum");
    problem.help = "add a queue:\n  [queues.email.payload]\n  order_id = \"int64\"";
  }

  const node& root_;
  report& problems_;
  project result_;
};

/// Bytes that are no text; the parser is never given any.
bool check_bytes(const text::source& from, const text::line_index& lines, report& problems) {
  if (from.content.size() > text::largest_source) {
    problems.error(code::too_large, {},
                   fmt::format("a declaration of more than {} MB", text::largest_source / 1024 / 1024));
  } else if (const auto offset = text::find_invalid_utf8(from.content)) {
    auto& problem = problems.error(
        code::invalid_utf8, lines.span_of(*offset, *offset + 1),
        fmt::format("this byte (0x{:02x}) is not UTF-8", static_cast<unsigned char>(from.content[*offset])));
    problem.help = "TOML is written in UTF-8";
  }
  return problems.is_empty();
}

/// A byte order mark is read as blanks, so that every byte stays in its place.
std::string without_mark(std::string content) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (content.starts_with(mark)) std::fill_n(content.begin(), mark.size(), ' ');
  return content;
}

}  // namespace

read_result read(const text::source& from) {
  report problems;
  const text::line_index lines(from.content);
  if (!check_bytes(from, lines, problems)) return {std::nullopt, problems.take()};
  const auto content = without_mark(from.content);
  const auto root = parse_toml(content, text::line_index(content), problems);
  if (!root) return {std::nullopt, problems.take()};
  if (root->entries.empty() && problems.is_empty()) {
    problems.error(code::empty_declaration, {}, "the declaration is empty").help = minimal_declaration;
    return {std::nullopt, problems.take()};
  }
  auto declared = declaration_reader(*root, problems).read();
  if (!problems.is_empty()) return {std::nullopt, problems.take()};
  return {std::move(declared), {}};
}

}  // namespace declaration
