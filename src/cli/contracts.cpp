// quern contracts: which contracts are live, and who last used which.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/sqlstate.hpp>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/declared_project.hpp"
#include "cli/migrations.hpp"
#include "cli/private_server.hpp"
#include "cli/terminal.hpp"
#include "contract/lock.hpp"
#include "text/file.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct contracts_arguments {
  std::optional<std::string> database{};
  fs::path migrations = "migrations";
  bool is_json = false;
};

/// A program that shook hands on a contract.
struct client {
  std::string name;
  std::string role;
  std::string first_seen_at;
  std::string last_seen_at;
};

/// What the lock and the database say of one contract.
struct contract_state {
  std::string queue;
  std::string line;  // the first name of the queue
  int version = 0;
  bool is_draft = false;
  bool is_retired = false;
  std::string in_database;  // live, retired, absent, different
  std::optional<std::string> produced_at{};
  std::optional<std::string> consumed_at{};
  std::int64_t messages = 0;  // that bear it: ready, delayed, claimed and dead
  std::vector<client> clients{};
};

constexpr std::string_view as_text = "to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

/// Whether any migration was applied.
bool has_contracts(quern::connection& db, const std::string& schema) {
  return db.execute("select to_regclass($1) is not null", schema + ".quern_contract").value<bool>();
}

std::string in_database(quern::connection& db, const std::string& schema, const contract::payload_contract& one) {
  const auto rows = db.execute(
      fmt::format("select fingerprint, retired_at is not null from {}.quern_contract where queue = $1 and version = $2",
                  schema),
      one.queue, one.version);
  if (rows.empty()) return "absent";
  if (rows[0].get<bool>(1)) return "retired";
  return rows[0].get<std::string>(0) == contract::fingerprint(one) ? "live" : "different";
}

/// When a hint of the contract was last set; `unit` is how many of its units are a second.
std::optional<std::string> last_use(quern::connection& db, const std::string& sequence, int unit) {
  return db
      .execute(fmt::format("select {} from (select to_timestamp(pg_sequence_last_value($1::regclass) / {}.0)) as s(at)",
                           fmt::format(as_text, "s.at"), unit),
               sequence)
      .value<std::optional<std::string>>();
}

std::int64_t messages_of(quern::connection& db, const std::string& prefix, const contract::queue_state& of,
                         int version) {
  if (contract::is_stream(of)) {
    const auto sql = fmt::format("select count(*) from {}_event where contract_version = $1", prefix);
    return db.execute(sql, version).value<std::int64_t>();
  }
  const bool has_dead = db.execute("select to_regclass($1) is not null", prefix + "_dead").value<bool>();
  auto sql = fmt::format(
      "select (select count(*) from {0}_{1} where contract_version = $1) + (select count(*) from {0}_delayed where "
      "contract_version = $1)",
      prefix, contract::is_log(of) ? "live" : "message");
  if (has_dead) sql += fmt::format(" + (select count(*) from {}_dead where contract_version = $1)", prefix);
  return db.execute(sql, version).value<std::int64_t>();
}

std::vector<client> clients_of(quern::connection& db, const std::string& schema, const contract_state& of) {
  const auto rows = db.execute(
      fmt::format("select client, role_name, {}, {} from {}.quern_client where queue = $1 and version = $2 order by "
                  "last_seen_at desc",
                  fmt::format(as_text, "first_seen_at"), fmt::format(as_text, "last_seen_at"), schema),
      of.queue, of.version);
  std::vector<client> result;
  for (const auto row : rows) {
    result.push_back(
        {row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2), row.get<std::string>(3)});
  }
  return result;
}

contract_state look(quern::connection& db, const std::string& schema, const contract::line& line,
                    const contract::payload_contract& one) {
  contract_state result{one.queue,
                        line.name,
                        one.version,
                        line.released && static_cast<std::size_t>(one.version) > line.released->contracts,
                        one.is_retired || line.state.is_dropped,
                        "absent"};
  if (!has_contracts(db, schema)) return result;
  result.in_database = in_database(db, schema, one);
  result.clients = clients_of(db, schema, result);
  if (result.in_database != "live" && result.in_database != "different") return result;
  const auto prefix = fmt::format("{}.{}", schema, line.name);
  result.produced_at = last_use(db, fmt::format("{}_v{}_produced_at", prefix, one.version), 1);
  const bool is_stream = contract::is_stream(line.state);
  result.consumed_at = is_stream ? last_use(db, fmt::format("{}_v{}_read_at", prefix, one.version), 1)
                                 : last_use(db, fmt::format("{}_v{}_swept_at", prefix, one.version), 1000);
  result.messages = messages_of(db, prefix, line.state, one.version);
  return result;
}

ordered_json or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(*text) : ordered_json(nullptr);
}

ordered_json as_json(const contract_state& one) {
  ordered_json clients = ordered_json::array();
  for (const auto& [name, role, first, last] : one.clients)
    clients.push_back({{"client", name}, {"role", role}, {"first_seen_at", first}, {"last_seen_at", last}});
  return {{"queue", one.queue},
          {"line", one.line},
          {"version", one.version},
          {"state", one.is_retired ? "retired"
                    : one.is_draft ? "draft"
                                   : "released"},
          {"in_database", one.in_database},
          {"produced_at", or_null(one.produced_at)},
          {"consumed_at", or_null(one.consumed_at)},
          {"messages", one.messages},
          {"clients", std::move(clients)}};
}

void say_contract(const contract_state& one) {
  const auto state = one.is_retired ? dim("retired", stream::output)
                     : one.is_draft ? yellow("draft", stream::output)
                                    : green("released", stream::output);
  const auto line = one.line == one.queue ? std::string{} : fmt::format(" (line {})", one.line);
  say(fmt::format("{}{} {}, in the database {}", bold(fmt::format("{} v{}", one.queue, one.version), stream::output),
                  line, state, one.in_database));
  if (one.in_database == "absent" || one.in_database == "retired") return;
  say(fmt::format("  last produced {}, last consumed {}, {} {}", one.produced_at.value_or("never"),
                  one.consumed_at.value_or("never"), one.messages, one.messages == 1 ? "message" : "messages"));
  for (const auto& [name, role, first, last] : one.clients)
    say(fmt::format("  {} (role {}), last seen {}", name.empty() ? "a program without a name" : name, role, last));
}

/// What a role may see of the contracts.
struct seen_contracts {
  std::vector<contract_state> states{};
  int hidden = 0;
  std::string refusal{};  // of the last that is hidden
};

bool is_seen(quern::connection& db, const std::string& schema, const contract::line& line, seen_contracts& seen) try {
  std::vector<contract_state> states;
  for (const auto& one : line.state.contracts) states.push_back(look(db, schema, line, one));
  std::ranges::move(states, std::back_inserter(seen.states));
  return true;

} catch (const quern::error& refused) {
  if (refused.sqlstate() != quern::sqlstate::insufficient_privilege) throw;
  seen.refusal = refused.message();
  return false;
}

seen_contracts look(const std::string& url, const contract::lock& lock) {
  quern::connection db{url, {.application_name = "quern contracts"}};
  const auto schema = quern::quoted_identifier(lock.schema);
  seen_contracts seen;
  for (const auto& line : lock.lines) {
    if (!is_seen(db, schema, line, seen)) ++seen.hidden;
  }
  if (seen.hidden > 0 && seen.states.empty())
    throw failure{
        exit_code::not_permitted,
        fmt::format("{}: this role may not see who uses which contract; ask as one of `grants.operate`", seen.refusal)};
  return seen;
}

exit_code run(const contracts_arguments& given) {
  auto source = text::read_source(given.migrations / "quern.lock");
  refuse_lost_lock(given.migrations / "quern.lock");
  if (!source.content)
    throw failure{exit_code::input_wrong, fmt::format("{}: {}", source.name, source.problem->message)};
  const auto seen = look(choose_database(given.database).url, read_lock(*source.content));
  if (!given.is_json) {
    for (const auto& one : seen.states) say_contract(one);
    if (seen.hidden > 0) say(dim(fmt::format("{} more that this role may not operate", seen.hidden), stream::output));
    return exit_code::done;
  }
  ordered_json all = ordered_json::array();
  for (const auto& one : seen.states) all.push_back(as_json(one));
  say(all.dump(2));
  return exit_code::done;
}

}  // namespace

void add_contracts(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<contracts_arguments>();
  const command_line command =
      program.add_command("contracts", "Show the contracts, and who last used which version and when");
  command.add_option("--database", given->database,
                     "URL, or libpq's keyword=value form (default: QUERN_DATABASE, then libpq's environment, then the "
                     "private server of this directory)");
  command.add_option("--migrations", given->migrations, "Directory of the migrations and quern.lock").shows_default();
  command.add_flag("--json", given->is_json, "As JSON");
  on_call(command, result, [given] { return run(*given); });
}

}  // namespace cli
