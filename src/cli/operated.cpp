#include "cli/operated.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <quern/sqlstate.hpp>
#include <variant>

#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "declaration/duration.hpp"
#include "declaration/read.hpp"
#include "text/file.hpp"
#include "text/suggestion.hpp"

namespace cli {
namespace {

constexpr const char* declaration_file = "quern.toml";

std::optional<std::string> declared_schema() {
  if (!std::filesystem::exists(declaration_file)) return std::nullopt;
  const auto source = text::read_source(declaration_file);
  if (!source.content) return std::nullopt;
  const auto read = declaration::read(*source.content);
  if (read.declared) return read.declared->schema;
  throw failure{exit_code::input_wrong,
                fmt::format("{} cannot be used, and it names the schema: correct it (`quern check`), or give --schema",
                            declaration_file)};
}

std::string only_schema(quern::connection& db) {
  const auto rows = db.execute(
      "select n.nspname::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
      "where c.relname = 'quern_queue' and c.relkind = 'r' order by 1");
  if (rows.size() == 1) return rows[0].get<std::string>(0);
  if (rows.empty()) throw failure{exit_code::input_wrong, "no schema of this database has queues of quern"};
  std::vector<std::string> names;
  for (const auto row : rows) names.push_back(row.get<std::string>(0));
  throw failure{exit_code::input_wrong,
                fmt::format("say which with --schema: the database has queues in {}", fmt::join(names, ", "))};
}

void expect_queues(quern::connection& db, const std::string& schema) {
  // Of the catalog, which also those may read who may not use the schema.
  const bool is_there = db.execute(
                              "select exists (select from pg_class as c join pg_namespace as n on n.oid = "
                              "c.relnamespace where n.nspname = "
                              "$1 and c.relname = 'quern_queue')",
                              schema)
                            .value<bool>();
  if (!is_there)
    throw failure{exit_code::input_wrong,
                  fmt::format("the database has no queues in schema {}: `quern migrate` makes them", schema)};
}

std::string qualified(const std::string& schema, const std::string& name) {
  return fmt::format("{}.{}", quern::quoted_identifier(schema), quern::quoted_identifier(name));
}

std::string schema_of(const operated_place& where, quern::connection& db) {
  if (where.schema) return *where.schema;
  if (auto declared = declared_schema()) return *std::move(declared);
  return only_schema(db);
}

// The tables of what was renamed bear another name than its functions: the body of the one that counts depends on them.
constexpr std::string_view queues_query = R"(
select
  left(p.proname, -6)::text,
  coalesce(t.line, left(p.proname, -6)::text),
  'unsealed' = any (p.proargnames),
  exists (select from pg_class as k where k.relnamespace = p.pronamespace and k.relname = t.line || '_claim'),
  has_schema_privilege(p.pronamespace, 'usage') and has_function_privilege(p.oid, 'execute'),
  row_number() over (partition by coalesce(t.line, p.proname) order by v.newest desc) = 1
from pg_proc as p
left join lateral (
  select regexp_replace(c.relname, '_(delayed|event)$', '') as line
  from pg_depend as d
  join pg_class as c on c.oid = d.refobjid
  where d.classid = 'pg_proc'::regclass
    and d.objid = p.oid
    and d.refclassid = 'pg_class'::regclass
    and c.relname like case when 'unsealed' = any (p.proargnames) then '%\_event' else '%\_delayed' end
  limit 1
) as t on true
cross join lateral (
  select max(substring(f.proname from '[0-9]+$')::integer) as newest
  from pg_proc as f
  where f.pronamespace = p.pronamespace
    and f.proname ~ ('^' || left(p.proname, -6) || '_next_due_v[0-9]+$')
) as v
where p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = $1)
  and p.proname like '%\_stats'
  and p.pronargs = 0
  and p.proargnames && array['is_paused', 'unsealed']
order by 1
)";

struct found_queue {
  operated_queue queue;
  bool is_newest = false;
};

std::vector<found_queue> look(operated_schema& in) {
  std::vector<found_queue> found;
  for (const auto row : in.db.execute(queues_query, in.name)) {
    const bool is_stream = row.get<bool>(2);
    found.push_back({{in.name, row.get<std::string>(0), row.get<std::string>(1), is_stream,
                      !is_stream && row.get<bool>(3), row.get<bool>(4)},
                     row.get<bool>(5)});
  }
  return found;
}

}  // namespace

void add_operated(const command_line& command, operated_place& where) {
  command.add_option("--database", where.database, database_help);
  command.add_option("--schema", where.schema,
                     "Where the queues are (default: as quern.toml in this directory says, else the only one that has "
                     "queues)");
}

operated_schema open_schema(const operated_place& where, std::string_view application_name) {
  const std::string url = choose_database(where.database).url;
  quern::connection db{url, {.application_name = std::string{application_name}}};
  std::string schema = schema_of(where, db);
  expect_queues(db, schema);
  return {std::move(db), std::move(schema), url};
}

std::string operated_queue::function(std::string_view verb) const {
  return qualified(schema, fmt::format("{}_{}", name, verb));
}

std::string operated_queue::table(std::string_view noun) const {
  return qualified(schema, fmt::format("{}_{}", line, noun));
}

std::string operated_queue::title() const {
  return fmt::format("{} {}", is_stream ? "stream" : "queue", name);
}

std::string operated_target::title() const {
  return consumer.empty() ? queue.title() : fmt::format("consumer {} of {}", consumer, queue.title());
}

std::vector<operated_queue> all_queues(operated_schema& in) {
  std::vector<operated_queue> all;
  for (found_queue& one : look(in))
    if (one.is_newest) all.push_back(std::move(one.queue));
  return all;
}

operated_queue find_queue(operated_schema& in, const std::string& name) {
  const std::vector<found_queue> found = look(in);
  const auto wanted = std::ranges::find(found, name, [](const found_queue& one) { return one.queue.name; });
  if (wanted != found.end()) return wanted->queue;
  std::vector<std::string_view> names;
  names.reserve(found.size());
  for (const found_queue& one : found) names.emplace_back(one.queue.name);
  const auto meant = text::nearest_name(name, names);
  throw failure{exit_code::input_wrong, fmt::format("schema {} has no queue or stream \"{}\"{}", in.name, name,
                                                    meant ? fmt::format("; did you mean \"{}\"?", *meant) : "")};
}

operated_target find_target(operated_schema& in, const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return {find_queue(in, name)};
  operated_target found{find_queue(in, name.substr(0, slash)), name.substr(slash + 1)};
  if (!found.queue.is_stream)
    throw failure{exit_code::input_wrong, fmt::format("{} is no stream: it has no consumers", found.queue.title())};
  // A function, because those who may only consume may read no table.
  const bool is_there = in.db
                            .execute(fmt::format("select exists (select from {}() as l where l.consumer = $1)",
                                                 found.queue.function("lag")),
                                     found.consumer)
                            .value<bool>();
  if (!is_there)
    throw failure{exit_code::input_wrong,
                  fmt::format("{} has no consumer \"{}\"", found.queue.title(), found.consumer)};
  return found;
}

void expect_consumer(const operated_target& target) {
  if (target.queue.is_stream && target.consumer.empty())
    throw failure{exit_code::input_wrong,
                  fmt::format("say which consumer of {}: {}/CONSUMER", target.queue.title(), target.queue.name)};
}

bool has_function(operated_schema& in, const operated_queue& of, std::string_view verb) {
  return in.db
      .execute(
          "select exists (select from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = "
          "$1 "
          "and p.proname = $2)",
          of.schema, fmt::format("{}_{}", of.name, verb))
      .value<bool>();
}

void expect_dead_letters(operated_schema& in, const operated_queue& of, std::string_view verb) {
  if (!has_function(in, of, verb))
    throw failure{exit_code::input_wrong,
                  fmt::format("{} keeps no dead letters: it has `dead_letter = false`", of.title())};
}

void expect_results(operated_schema& in, const operated_queue& of) {
  if (of.is_stream)
    throw failure{exit_code::input_wrong, fmt::format("{} keeps no results: those are of messages", of.title())};
  if (has_function(in, of, "ack_result")) return;
  throw failure{exit_code::input_wrong, fmt::format("{} keeps no results: it has no `keep_done`", of.title())};
}

bool is_kept_in_log(const quern::error& refused) {
  return refused.sqlstate() == quern::sqlstate::kept_in_log;
}

bool is_not_permitted(const quern::error& refused) {
  constexpr std::string_view read_only = "25006";
  return refused.sqlstate() == quern::sqlstate::insufficient_privilege || refused.sqlstate() == read_only;
}

exit_code code_of(const quern::error& refused) {
  namespace state = quern::sqlstate;
  const std::string& is = refused.sqlstate();
  if (refused.connection_lost()) return exit_code::unreachable;
  if (is_not_permitted(refused)) return exit_code::not_permitted;
  // A text that is no UTF-8, or has a NUL: it never came to the server.
  if (dynamic_cast<const quern::codec_error*>(&refused) != nullptr) return exit_code::input_wrong;
  constexpr std::array of_input{state::unknown_queue,   state::invalid_payload,  state::invalid_argument,
                                state::events_not_kept, state::unknown_consumer, state::other_kind_of_consumer};
  // Class 22 is of values, class 23 of constraints.
  const bool is_input =
      std::ranges::find(of_input, is) != of_input.end() || is.starts_with("22") || is.starts_with("23");
  return is_input ? exit_code::input_wrong : exit_code::refused;
}

std::int64_t parse_length(std::string_view option, const std::string& written) {
  const auto read = declaration::parse_duration(written);
  if (const auto* length = std::get_if<std::int64_t>(&read)) return *length;
  throw failure{exit_code::usage,
                fmt::format("{} \"{}\": {}", option, written, std::get<declaration::duration_problem>(read).message)};
}

std::vector<std::int64_t> parse_ids(const std::vector<std::string>& written) {
  std::vector<std::int64_t> ids;
  for (const std::string& one : written) {
    std::int64_t id = 0;
    const auto [end, problem] = std::from_chars(one.data(), one.data() + one.size(), id);
    if (problem != std::errc{} || end != one.data() + one.size())
      throw failure{exit_code::usage, fmt::format("\"{}\" is no id: ids are whole numbers", one)};
    ids.push_back(id);
  }
  return ids;
}

bool is_confirmed(bool is_yes, const std::string& question) {
  if (is_yes) return true;
  if (isatty(STDIN_FILENO) != 1)
    throw failure{exit_code::usage, fmt::format("{} Nobody is there to ask: say --yes", question)};
  write_error(fmt::format("quern: {} [y/N] ", question));
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

}  // namespace cli
