#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "contract/json_tree.hpp"
#include "contract/lock.hpp"
#include "contract/lock_object.hpp"
#include "contract/schedules.hpp"
#include "declaration/cron.hpp"

namespace contract {

namespace {

constexpr std::int64_t known_format = lock_format;

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_plain = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= 63 && is_letter(name[0]) && std::all_of(name.begin(), name.end(), is_plain);
}

void check_name(const std::string& name, const json_node& node) {
  if (!is_name(name)) refuse(node, fmt::format("{} is not a name", json_string(name)));
}

field read_field(const json_node& node) {
  const lock_object read{
      node,
      "a field",
      {"name", "type", "default", "min", "max", "max_length", "pattern", "values", "column", "renamed_from", "new"}};
  field result{read.text("name"),         read.text("type"), read.optional_text("default"), read.optional_text("min"),
               read.optional_text("max"), std::nullopt,      read.optional_text("pattern")};
  if (read.find("max_length") != nullptr) result.max_length = read.number("max_length");
  if (read.find("values") != nullptr) result.values = read_texts(read.get("values"), "\"values\"");
  result.column = read.optional_text("column").value_or(result.name);
  result.renamed_from = read.optional_text("renamed_from").value_or("");
  result.is_new = read.is_true("new");
  // They become parts of SQL.
  check_name(result.name, read.get("name"));
  if (!is_name(result.column)) refuse(read.get("column"), fmt::format("{} is not a name", json_string(result.column)));
  return result;
}

std::optional<contract_break> read_break(const lock_object& from) {
  if (from.find("break") == nullptr) return std::nullopt;
  const lock_object read{from.get("break"), "\"break\"", {"reason", "until"}};
  return contract_break{read.text("reason"), read.text("until")};
}

void read_priorities(const lock_object& from, payload_contract& into) {
  if (from.find("priorities") == nullptr) {
    if (from.find("priority_column") != nullptr)
      refuse(from.get("priority_column"), "\"priority_column\" needs \"priorities\"");
    return;
  }
  const auto priorities = from.number("priorities");
  if (priorities < 2 || priorities > 10) refuse(from.get("priorities"), "\"priorities\" must be a number from 2 to 10");
  into.priorities = static_cast<int>(priorities);
  into.priority_column = from.optional_text("priority_column").value_or("priority");
  // It becomes a part of SQL.
  if (!is_name(into.priority_column))
    refuse(from.get("priority_column"), fmt::format("{} is not a name", json_string(into.priority_column)));
}

std::optional<unique_rule> read_unique(const lock_object& from, const std::vector<field>& known) {
  if (from.find("unique") == nullptr) return std::nullopt;
  const lock_object read{from.get("unique"), "\"unique\"", {"fields", "for"}};
  unique_rule result{read_texts(read.get("fields"), "\"fields\""), false};
  for (const auto& name : result.fields) {
    const auto has_name = [&](const field& one) { return one.name == name; };
    if (std::none_of(known.begin(), known.end(), has_name)) {
      refuse(read.get("fields"), fmt::format("\"unique\" names the field {}, which is none", json_string(name)));
    }
  }
  const auto time = read.text("for");
  if (time != "pending" && time != "time") refuse(read.get("for"), "\"for\" must be \"pending\" or \"time\"");
  result.is_timed = time == "time";
  return result;
}

payload_contract read_contract(const json_node& node, const std::string& line) {
  const lock_object read{node,
                         "a contract",
                         {"version", "fingerprint", "queue", "retired", "break", "priorities", "priority_column",
                          "headers", "unique", "payload", "removed", "fields"}};
  payload_contract result{.queue = read.optional_text("queue").value_or(line),
                          .version = 0,
                          .is_schemaless = read.find("payload") != nullptr};
  if (read.find("queue") != nullptr) check_name(result.queue, read.get("queue"));
  const auto version = read.number("version");
  if (version < 1 || version > 1'000'000) refuse(read.get("version"), "\"version\" must be 1 or more");
  result.version = static_cast<int>(version);
  result.is_retired = read.is_true("retired");
  result.breaks = read_break(read);
  read_priorities(read, result);
  result.has_headers = read.is_true("headers");
  if (result.is_schemaless && read.text("payload") != "jsonb") {
    refuse(read.get("payload"), "\"payload\" must be \"jsonb\"");
  }
  if (read.find("removed") != nullptr) {
    for (const auto& [name, value] : members_of(read.get("removed"), "\"removed\"")) {
      result.removed.push_back({name, text_of(value, "the value of a removed field")});
    }
  }
  for (const auto& item : items_of(read.get("fields"), "\"fields\"")) result.fields.push_back(read_field(item));
  result.unique = read_unique(read, result.fields);
  if (read.text("fingerprint") != fingerprint(result)) {
    throw wrong_lock{read.get("fingerprint").line, "lock_fingerprint",
                     fmt::format("the fingerprint does not fit contract v{} of \"{}\": one of them was edited",
                                 result.version, line)};
  }
  return result;
}

std::vector<payload_contract> read_contracts(const json_node& node, const std::string& queue) {
  std::vector<payload_contract> result;
  for (const auto& item : items_of(node, "\"contracts\"")) {
    result.push_back(read_contract(item, queue));
    if (result.back().version != static_cast<int>(result.size())) {
      refuse(item, fmt::format("the contracts of \"{}\" must be versions 1, 2, 3, …", queue));
    }
  }
  return result;
}

bool is_migration_file(std::string_view file) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_plain = [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_'; };
  return file.size() > 9 && std::all_of(file.begin(), file.begin() + 4, is_digit) && file[4] == '_' &&
         file.ends_with(".sql") && std::all_of(file.begin() + 5, file.end() - 4, is_plain);
}

bool is_checksum(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<migration> read_migrations(const json_node& node, const std::string& line) {
  std::vector<migration> result;
  for (const auto& item : items_of(node, "\"migrations\"")) {
    const lock_object read{item, "a migration", {"file", "checksum"}};
    result.push_back({read.text("file"), read.text("checksum")});
    const auto& [file, checksum] = result.back();
    // The file becomes part of a path: what is not a plain name could lead out of the directory.
    if (!is_migration_file(file)) refuse(item, "\"file\" must look like \"0001_create.sql\"");
    if (!is_checksum(checksum)) refuse(item, "\"checksum\" must be 64 hex digits");
    if (file.substr(0, 4) != fmt::format("{:04}", result.size())) {
      refuse(item, fmt::format("the migrations of \"{}\" must be numbered 0001, 0002, 0003, …", line));
    }
  }
  return result;
}

std::vector<option> read_options(const json_node& node) {
  std::vector<option> result;
  for (const auto& [key, value] : members_of(node, "\"options\"")) {
    result.emplace_back(key, text_of(value, fmt::format("\"{}\"", key)));
  }
  return result;
}

locked_enumeration read_enumeration(const std::string& name, const json_node& node) {
  check_name(name, node);
  const lock_object read{node, "an enumeration", {"values", "doc"}};
  return {name, read.text("doc"), read_texts(read.get("values"), "\"values\"")};
}

std::vector<locked_enumeration> read_enumerations(const json_node& node) {
  std::vector<locked_enumeration> result;
  for (const auto& [name, each] : members_of(node, "\"enumerations\"")) {
    result.push_back(read_enumeration(name, each));
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return result;
}

/// They become parts of SQL: what is not one of the declaration's own spellings is refused here.
locked_schedule read_schedule(const std::string& name, const json_node& node) {
  check_name(name, node);
  locked_schedule result{name, read_options(node)};
  if (!declaration::parse_cron(option_of(result, "cron")).problems.empty())
    refuse(node, fmt::format("the schedule {} has no cron line", json_string(name)));
  const auto target = option_of(result, "queue").empty() ? option_of(result, "stream") : option_of(result, "queue");
  check_name(std::string{target}, node);
  const auto version = option_of(result, "contract");
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.empty() || version.size() > 7 || !std::all_of(version.begin(), version.end(), is_digit))
    refuse(node, fmt::format("the schedule {} has no contract", json_string(name)));
  return result;
}

std::vector<locked_schedule> read_schedules(const lock_object& from) {
  std::vector<locked_schedule> result;
  if (from.find("schedules") == nullptr) return result;
  for (const auto& [name, each] : members_of(from.get("schedules"), "\"schedules\"")) {
    result.push_back(read_schedule(name, each));
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return result;
}

std::size_t read_count(const lock_object& read, std::string_view key, std::size_t most) {
  const auto count = read.number(key);
  if (count < 0 || static_cast<std::size_t>(count) > most) {
    refuse(read.get(key), fmt::format("\"{}\" of \"released\" must be a number from 0 to {}", key, most));
  }
  return static_cast<std::size_t>(count);
}

int read_engine(const lock_object& read) {
  if (read.find("engine") == nullptr) return first_engine;
  const auto engine = read.number("engine");
  if (engine < 1 || engine > 1'000'000) refuse(read.get("engine"), "\"engine\" must be 1 or more");
  return static_cast<int>(engine);
}

released_part read_released(const json_node& node, const line& line) {
  const lock_object read{
      node,
      "\"released\"",
      {"contracts", "retired", "migrations", "options", "dropped", "enumerations", "schedules", "engine"}};
  released_part result;
  result.engine = read_engine(read);
  result.migrations = read_count(read, "migrations", line.migrations.size());
  if (line.name == core_line) {
    result.enumerations = read_enumerations(read.get("enumerations"));
    result.schedules = read_schedules(read);
    return result;
  }
  result.contracts = read_count(read, "contracts", line.state.contracts.size());
  if (read.find("retired") != nullptr) result.retired = read_count(read, "retired", result.contracts);
  if (read.find("options") != nullptr) result.options = read_options(read.get("options"));
  result.is_dropped = read.is_true("dropped");
  return result;
}

line read_line(const std::string& name, const json_node& node) {
  check_name(name, node);
  const lock_object read{node, "a line", {"contracts", "options", "migrations", "released", "dropped", "engine"}};
  line result{name, {}, read_migrations(read.get("migrations"), name), {}, read_engine(read)};
  if (name != core_line) {
    result.state.contracts = read_contracts(read.get("contracts"), name);
    if (result.state.contracts.empty()) refuse(node, fmt::format("\"{}\" has no contract", name));
    result.state.options = read_options(read.get("options"));
    result.state.is_dropped = read.is_true("dropped");
  }
  if (read.find("released") != nullptr) result.released = read_released(read.get("released"), result);
  return result;
}

template <class Item>
void sort_by_name(std::vector<Item>& items) {
  std::sort(items.begin(), items.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
}

void check_format(const json_node& root) {
  for (const auto& [key, value] : members_of(root, "the lock")) {
    if (key != "format") continue;
    const auto format = number_of(value, "\"format\"");
    if (format == known_format) return;
    throw wrong_lock{
        value.line, "lock_format",
        fmt::format("the lock has format {}; this quern knows format {}", format, known_format),
        format > known_format ? "a newer quern wrote it: use that one" : std::string{wrong_lock::rebuild_help}};
  }
  refuse(root, "the lock lacks the key \"format\"");
}

/// Every name belongs to one line.
class name_owners {
 public:
  void add(const line& line, const json_node& node) {
    add(line.name, line.name, node);
    for (const auto& contract : line.state.contracts) add(contract.queue, line.name, node);
  }

 private:
  void add(const std::string& name, const std::string& line, const json_node& node) {
    const auto [owner, is_new] = owners_.try_emplace(name, line);
    if (is_new || owner->second == line) return;
    throw wrong_lock{
        node.line, "lock_malformed",
        fmt::format("the name \"{}\" belongs to the line \"{}\", and \"{}\" has it too", name, owner->second, line),
        "where two branches gave it, one of them has to choose another: the one whose migrations no "
        "database has yet"};
  }

  std::map<std::string, std::string> owners_;
};

lock read_root(const json_node& root) {
  check_format(root);
  const lock_object read{root, "the lock", {"format", "project", "schema", "enumerations", "schedules", "lines"}};
  lock result{read.text("project"), read.text("schema"), {}, {}};
  result.enumerations = read_enumerations(read.get("enumerations"));
  result.schedules = read_schedules(read);
  name_owners owners;
  for (const auto& [name, node] : members_of(read.get("lines"), "\"lines\"")) {
    result.lines.push_back(read_line(name, node));
    owners.add(result.lines.back(), node);
  }
  sort_by_name(result.lines);
  return result;
}

/// The line of the first `<<<<<<< `, or 0.
std::size_t conflict_line(std::string_view content) {
  std::size_t number = 1;
  for (std::size_t at = 0; at < content.size(); ++number) {
    const auto rest = content.substr(at);
    if (rest.starts_with("<<<<<<< ") || rest.starts_with(">>>>>>> ") || rest.starts_with("=======\n")) return number;
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    at += end + 1;
  }
  return 0;
}

text::diagnostic problem_at(const text::source& source, const wrong_lock& problem) {
  const text::line_index lines{source.content};
  const auto text = lines.line(problem.line);
  const auto first = text.find_first_not_of(" \t");
  const auto column = first == std::string_view::npos ? 1 : first + 1;
  return {text::severity::error, problem.code,
          problem.message,       {{problem.line, column}, {problem.line, std::max(text.size() + 1, column)}},
          problem.help,          {}};
}

}  // namespace

read_lock_result read_lock(const text::source& source) {
  if (const auto line = conflict_line(source.content)) {
    return {
        {},
        {problem_at(source, {line, "lock_conflict", "the lock holds a merge conflict that was not resolved",
                             "merge the declaration, then run `quern rebase --onto` with the branch whose migrations "
                             "stay as they are: it numbers the drafts of the other side anew"})}};
  }
  const auto read = read_json(source.content);
  if (const auto* problem = std::get_if<json_problem>(&read)) {
    return {{}, {problem_at(source, {problem->where.line, "lock_malformed", problem->message})}};
  }
  try {
    return {read_root(std::get<json_node>(read)), {}};
  } catch (const wrong_lock& problem) {
    return {{}, {problem_at(source, problem)}};
  }
}

}  // namespace contract
