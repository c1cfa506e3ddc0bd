#include "migrate/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "migrate/error.hpp"
#include "migrate/export_sql.hpp"
#include "migrate/export_units.hpp"

namespace migrate {
namespace {

constexpr std::string_view header_opening = "-- quern export: ";
constexpr std::array<std::string_view, 5> words{"plain", "flyway", "dbmate", "goose", "sqitch"};

std::string_view word_of(export_format format) {
  return words[static_cast<std::size_t>(format)];
}

std::string header(export_format format, const export_unit& one) {
  const std::string note = one.is_draft ? draft_comment(one.key.substr(0, one.key.find(' '))) : "";
  return fmt::format("{}{} {}\n{}", header_opening, word_of(format), one.key, note);
}

// The key of a file that was exported in this format.
std::optional<std::string> key_in(const std::string& text, export_format format) {
  const std::string opening = fmt::format("{}{} ", header_opening, word_of(format));
  const std::string_view line = std::string_view{text}.substr(0, text.find('\n'));
  if (!line.starts_with(opening)) return std::nullopt;
  return std::string{line.substr(opening.size())};
}

// `V0012__x.sql` and `00012_x.sql`: 12, and 0 for what has no number.
std::int64_t number_in(std::string_view name) {
  if (name.starts_with('V') || name.starts_with('U')) name.remove_prefix(1);
  std::int64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

// Which number each unit has, and the first that is free.
struct numbering {
  std::map<std::string, std::int64_t> known{};
  std::int64_t highest = 0;
};

numbering numbers_of(const file_texts& present, export_format format) {
  numbering made;
  for (const auto& [name, text] : present) {
    made.highest = std::max(made.highest, number_in(name));
    if (const auto key = key_in(text, format)) made.known[*key] = number_in(name);
  }
  return made;
}

std::string refusal_of_unknown(const std::string& what) {
  return fmt::format(
      "{} was exported, but is not among the migrations any more: a tool that has applied it would be lost", what);
}

void check_known(const std::map<std::string, std::int64_t>& known, const std::vector<export_unit>& units) {
  std::set<std::string> keys;
  for (const export_unit& one : units) keys.insert(one.key);
  for (const auto& [key, number] : known)
    if (!keys.contains(key)) throw error{reason::wrong_input, refusal_of_unknown(key)};
}

void add_plain(const export_unit& one, std::int64_t number, file_texts& to) {
  to[fmt::format("{:04}_{}.sql", number, one.name)] = header(export_format::plain, one) + one.up;
}

// Words like ${this} are placeholders there; everything else of a file is taken as it is.
void add_flyway_file(const std::string& name, const export_unit& one, const std::string& sql, file_texts& to) {
  to[name] = header(export_format::flyway, one) + sql;
  std::string settings;
  if (!one.is_transactional) settings += "executeInTransaction=false\n";
  if (sql.find("${") != std::string::npos) settings += "placeholderReplacement=false\n";
  if (!settings.empty()) to[name + ".conf"] = settings;
}

void add_flyway(const export_unit& one, std::int64_t number, file_texts& to) {
  add_flyway_file(fmt::format("V{:04}__{}.sql", number, one.name), one, one.up, to);
  if (one.is_reversible) add_flyway_file(fmt::format("U{:04}__{}.sql", number, one.name), one, one.down, to);
}

// dbmate sorts names as texts: 14 digits, as in the names that it makes itself.
void add_dbmate(const export_unit& one, std::int64_t number, file_texts& to) {
  const std::string_view mode = one.is_transactional ? "" : " transaction:false";
  to[fmt::format("{:014}_{}.sql", number, one.name)] = fmt::format(
      "{}-- migrate:up{}\n{}\n-- migrate:down{}\n{}", header(export_format::dbmate, one), mode, one.up, mode, one.down);
}

std::string goose_statement(std::string_view sql) {
  return fmt::format("-- +goose StatementBegin\n{}-- +goose StatementEnd\n", sql);
}

// A transaction is sent as it is; outside of one each statement goes by itself.
std::string goose_section(const std::string& sql, bool is_transactional) {
  if (is_transactional) return goose_statement(sql);
  std::string made;
  for (const std::string& statement : single_statements(sql)) made += goose_statement(statement);
  return made;
}

void add_goose(const export_unit& one, std::int64_t number, file_texts& to) {
  to[fmt::format("{:05}_{}.sql", number, one.name)] =
      fmt::format("{}{}-- +goose Up\n{}\n-- +goose Down\n{}", header(export_format::goose, one),
                  one.is_transactional ? "" : "-- +goose NO TRANSACTION\n", goose_section(one.up, one.is_transactional),
                  goose_section(one.down, one.is_transactional));
}

std::string sqitch_script(const export_unit& one, const std::string& sql) {
  const std::string text = header(export_format::sqitch, one);
  return one.is_transactional ? fmt::format("{}begin;\n{}commit;\n", text, sql) : text + sql;
}

// The names of changes in a plan, in their order.
std::set<std::string> changes_in(std::string_view plan) {
  std::set<std::string> names;
  while (!plan.empty()) {
    const std::string_view line = plan.substr(0, plan.find('\n'));
    plan.remove_prefix(std::min(line.size() + 1, plan.size()));
    if (!line.empty() && line.front() != '%' && line.front() != '#' && line.front() != '@')
      names.emplace(line.substr(0, line.find(' ')));
  }
  return names;
}

// A plan only grows. Its times are part of what identifies a change, so they say nothing of when it was exported.
std::string sqitch_plan(const std::string& present, const std::string& project, const std::vector<export_unit>& units) {
  const std::set<std::string> planned = changes_in(present);
  std::string plan = present;
  if (plan.empty()) plan = fmt::format("%syntax-version=1.0.0\n%project={}\n\n", project);
  for (const export_unit& one : units)
    if (!planned.contains(one.name))
      plan += fmt::format("{} 2000-01-01T00:00:00Z quern <quern@localhost> # {}\n", one.name, one.key);
  return plan;
}

std::string text_of(const file_texts& present, const std::string& name) {
  const auto found = present.find(name);
  return found == present.end() ? "" : found->second;
}

file_texts export_sqitch(const std::vector<export_unit>& units, const export_request& how, const file_texts& present) {
  check_known(numbers_of(present, export_format::sqitch).known, units);
  file_texts made;
  for (const export_unit& one : units) {
    made["deploy/" + one.name + ".sql"] = sqitch_script(one, one.up);
    made["revert/" + one.name + ".sql"] = sqitch_script(one, one.down);
    made["verify/" + one.name + ".sql"] = header(export_format::sqitch, one) + one.verify;
  }
  made["sqitch.plan"] = sqitch_plan(text_of(present, "sqitch.plan"), how.schema, units);
  const std::string settings = text_of(present, "sqitch.conf");
  made["sqitch.conf"] = settings.empty() ? "[core]\n\tengine = pg\n" : settings;
  return made;
}

void add(export_format format, const export_unit& one, std::int64_t number, file_texts& to) {
  switch (format) {
    case export_format::plain:
      return add_plain(one, number, to);
    case export_format::flyway:
      return add_flyway(one, number, to);
    case export_format::dbmate:
      return add_dbmate(one, number, to);
    case export_format::goose:
      return add_goose(one, number, to);
    case export_format::sqitch:
      break;  // has a plan instead of numbers
  }
}

}  // namespace

std::optional<export_format> parse_export_format(std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<export_format>(found - words.begin());
}

file_texts export_migrations(const directory& files, const export_request& how, const file_texts& present) {
  const std::vector<export_unit> units = export_units(files, how);
  if (how.format == export_format::sqitch) return export_sqitch(units, how, present);
  const numbering numbers = numbers_of(present, how.format);
  check_known(numbers.known, units);
  if (how.first_number != 0 && how.first_number <= numbers.highest)
    throw error{reason::wrong_input, fmt::format("number {} is not behind those that are there: the highest is {}",
                                                 how.first_number, numbers.highest)};
  std::int64_t next = how.first_number != 0 ? how.first_number : numbers.highest + 1;
  file_texts made;
  for (const export_unit& one : units) {
    const auto known = numbers.known.find(one.key);
    add(how.format, one, known != numbers.known.end() ? known->second : next++, made);
  }
  return made;
}

std::string export_script(const directory& files, const std::string& schema, const draft_names& drafts) {
  std::string script = psql_opening(schema);
  for (const migration& one : files.migrations) {
    const bool is_draft = drafts.contains(file_name(one));
    script += '\n' + (is_draft ? draft_comment(title(one)) : "") + psql_script(schema, one, is_draft);
  }
  return script + psql_closing(schema);
}

}  // namespace migrate
