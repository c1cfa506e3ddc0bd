// Every live contract's messages for every live contract's consumers, at each phase of a roll-out: each message is read
// whole, or left alone for those who can read it.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <quern/sqlstate.hpp>

#include "check/server_run.hpp"
#include "check/server_samples.hpp"
#include "contract/counterpart.hpp"
#include "contract/storage.hpp"
#include "migrate/drift_expected.hpp"

namespace check {
namespace {

using contract::payload_contract;

/// A message and what was written into it.
struct sent {
  const payload_contract* writer = nullptr;
  const sample* what = nullptr;
  std::map<std::string, std::string> given{};  // as the server spells it
};

/// What a consumer got.
struct received {
  std::int64_t id = 0;
  std::int32_t attempt = 0;
  std::map<std::string, std::string> fields{};
};

/// One queue at one phase.
class phase {
 public:
  phase(const server_run& run, const scratch_place& at, const contract::line& line, const migrate::migration& one,
        const migrate::step* part)
      : run_{run},
        line_{line},
        one_{one},
        part_{part},
        prefix_{prefix_of(line.name)},
        db_{at.url(), {.application_name = "quern check"}} {
    db_.run_script(
        "set timezone = 'UTC'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set datestyle = 'ISO'");
  }

  void run() {
    for (const payload_contract& each : line_.state.contracts) {
      if (each.is_retired) continue;
      if (exists(is_stream() ? "publish_json" : "enqueue_json", each)) writers_.push_back(&each);
      if (exists(is_stream() ? "read_json" : "claim_json", each)) readers_.push_back(&each);
    }
    for (const payload_contract* each : writers_) make_samples(*each);
    for (const payload_contract* reader : readers_) {
      if (is_stream())
        read_stream_as(*reader);
      else
        read_as(*reader);
    }
    forget_use();
  }

 private:
  bool is_stream() const { return contract::is_stream(line_.state); }

  std::string prefix_of(const std::string& name) const {
    return fmt::format("{}.{}", quern::quoted_identifier(run_.schema()), name);
  }

  bool exists(std::string_view verb, const payload_contract& of) {
    return db_
        .execute(
            "select exists (select from pg_proc where pronamespace = to_regnamespace(quote_ident($1)) and proname = "
            "$2)",
            run_.schema(), fmt::format("{}_{}_v{}", of.queue, verb, of.version))
        .value<bool>();
  }

  void make_samples(const payload_contract& of) {
    auto made = samples_of(of, run_.of.lock->enumerations, [this](const std::string& text, const std::string& pattern) {
      return db_.execute("select $1::text ~ $2::text", text, pattern).value<bool>();
    });
    if (made.empty())
      run_.how.noted(fmt::format("{} v{}: no text is known that fits a pattern; its messages were not tried", of.queue,
                                 of.version));
    samples_[of.version] = std::move(made);
  }

  /// All that anybody writes, read by one contract first; what it leaves, by those that wrote it.
  void read_as(const payload_contract& reader) {
    waiting_.clear();
    for (const payload_contract* writer : writers_)
      for (const sample& one : samples_.at(writer->version)) write(*writer, one);
    // And one contract may have to end a message before another gets the next of its key.
    std::size_t before = 0;
    do {
      before = waiting_.size();
      claim(reader, false);
      for (const payload_contract* writer : writers_) claim(*writer, true);
    } while (!waiting_.empty() && waiting_.size() < before);
    for (const auto& [id, message] : waiting_)
      add("server_contract_lost",
          fmt::format("a message of v{} ({}) is left alone by consumers of v{}, and nobody else can claim it",
                      message.writer->version, message.what->words, reader.version));
    discard();
  }

  /// Samples are alike, and none is to be left out for the sake of another.
  void forget_keys() {
    for (const payload_contract& each : line_.state.contracts) {
      if (!each.unique) continue;
      const std::string table = fmt::format("{}_unique_v{}", prefix_, each.version);
      if (!db_.execute("select to_regclass($1) is not null", table).value<bool>()) continue;
      db_.run_script(fmt::format("delete from {}", table));
    }
  }

  void write(const payload_contract& writer, const sample& one) {
    forget_keys();
    const std::string payload = spell(one, writer.is_schemaless);
    try {
      const auto sql =
          fmt::format("select {}_enqueue_json_v{}($1::text::jsonb)", prefix_of(writer.queue), writer.version);
      const auto id = db_.execute(sql, payload).value<std::int64_t>();
      waiting_.emplace(id, sent{&writer, &one, parts_of(payload, writer.is_schemaless)});
    } catch (const quern::database_error& refused) {
      add("server_contract_call_fails",
          fmt::format("a producer of v{} is refused its payload ({}): {}", writer.version, one.words, refused.what()));
    }
  }

  std::map<std::string, std::string> parts_of(const std::string& payload, bool is_schemaless) {
    if (is_schemaless) return {{"payload", db_.execute("select $1::text::jsonb::text", payload).value<std::string>()}};
    std::map<std::string, std::string> made;
    for (const quern::row row : db_.execute("select key, value::text from jsonb_each($1::text::jsonb)", payload))
      made.emplace(row.get<std::string>(0), row.get<std::string>(1));
    return made;
  }

  /// Claims what there is, and finishes it.
  void claim(const payload_contract& reader, bool is_own) {
    if (is_own && std::ranges::find(readers_, &reader) == readers_.end()) return;
    try {
      // Of an ordered queue the next of a key comes when the one before it has ended.
      std::size_t before = 0;
      do {
        before = waiting_.size();
        for (const received& one : fetch(reader)) take(reader, one, is_own);
      } while (!waiting_.empty() && waiting_.size() < before);
    } catch (const quern::database_error& refused) {
      add("server_contract_call_fails", fmt::format("a consumer of v{} fails: {}", reader.version, refused.what()));
    }
  }

  std::vector<received> fetch(const payload_contract& reader) {
    return got_by(reader, fmt::format("select message_id, attempt, payload from {}_claim_json_v{}(10000, '1 hour')",
                                      prefix_of(reader.queue), reader.version));
  }

  /// A call that gives a number, an attempt and the payload.
  std::vector<received> got_by(const payload_contract& reader, const std::string& call) {
    const std::string each =
        reader.is_schemaless ? "(select 'payload' as key, c.payload as value)" : "jsonb_each(c.payload)";
    std::map<std::int64_t, received> made;
    for (const quern::row row :
         db_.execute(fmt::format("select c.id, c.attempt, e.key, e.value::text from ({}) as c (id, attempt, payload) "
                                 "left join lateral {} as e on true",
                                 call, each))) {
      received& one = made[row.get<std::int64_t>(0)];
      one.id = row.get<std::int64_t>(0);
      one.attempt = row.get<std::int32_t>(1);
      if (!row.is_null(2)) one.fields.emplace(row.get<std::string>(2), row.get<std::string>(3));
    }
    std::vector<received> all;
    all.reserve(made.size());
    for (auto& [id, one] : made) all.push_back(std::move(one));
    return all;
  }

  /// An event at a time: what one contract cannot read stops it, and those that wrote it read it.
  void read_stream_as(const payload_contract& reader) {
    for (const payload_contract* writer : writers_) {
      for (const sample& one : samples_.at(writer->version)) {
        const auto before = last_offset();
        if (!publish(*writer, one)) continue;
        const sent event{writer, &one, parts_of(spell(one, writer->is_schemaless), writer->is_schemaless)};
        if (read_event(reader, before, event)) continue;
        const bool is_own = &reader == writer || std::ranges::find(readers_, writer) == readers_.end();
        if (is_own || !read_event(*writer, before, event))
          add("server_contract_lost",
              fmt::format("an event of v{} ({}) is not read by consumers of v{}, nor by its own", writer->version,
                          one.words, reader.version));
      }
    }
    discard();
  }

  std::int64_t last_offset() {
    return db_.execute(fmt::format("select max(last_offset) from {}_page", prefix_)).value<std::int64_t>();
  }

  bool publish(const payload_contract& writer, const sample& one) {
    try {
      const std::string prefix = prefix_of(writer.queue);
      db_.execute(fmt::format("select {}_publish_json_v{}($1::text::jsonb)", prefix, writer.version),
                  spell(one, writer.is_schemaless));
      db_.execute(fmt::format("select {}_seal()", prefix));
      return true;
    } catch (const quern::database_error& refused) {
      add("server_contract_call_fails",
          fmt::format("a producer of v{} is refused its payload ({}): {}", writer.version, one.words, refused.what()));
      return false;
    }
  }

  /// False when the contract says that it cannot read the event, or does not show it.
  bool read_event(const payload_contract& reader, std::int64_t before, const sent& event) {
    try {
      const auto got = got_by(reader, fmt::format("select event_offset, 1, payload from {}_read_json_v{}({}, 1000)",
                                                  prefix_of(reader.queue), reader.version, before));
      if (got.size() > 1)
        add("server_contract_twice", fmt::format("an event of v{} is read {} times by consumers of v{}",
                                                 event.writer->version, got.size(), reader.version));
      if (!got.empty()) judge(reader, got.front(), event);
      return !got.empty();
    } catch (const quern::database_error& refused) {
      if (refused.sqlstate() == quern::sqlstate::unreadable_event) return false;
      add("server_contract_call_fails", fmt::format("a consumer of v{} fails: {}", reader.version, refused.what()));
      return true;
    }
  }

  void take(const payload_contract& reader, const received& one, bool is_own) {
    const auto place = waiting_.find(one.id);
    if (place == waiting_.end())
      return add("server_contract_twice",
                 fmt::format("message {} is handed out to consumers of v{} a second time", one.id, reader.version));
    const sent& message = place->second;
    if (!is_own || message.writer == &reader) judge(reader, one, message);
    if (!db_.execute(fmt::format("select {}_ack($1, $2)", prefix_of(reader.queue)), one.id, one.attempt).value<bool>())
      add("server_contract_call_fails",
          fmt::format("a consumer of v{} cannot finish a message of v{}", reader.version, message.writer->version));
    waiting_.erase(place);
  }

  void judge(const payload_contract& reader, const received& got, const sent& message) {
    const auto& enumerations = run_.of.lock->enumerations;
    for (const contract::field& field : reader.fields) {
      const auto value = got.fields.find(field.name);
      const auto json = value == got.fields.end() ? std::nullopt : std::optional{value->second};
      std::string words = value_problem(field, enumerations, json);
      if (words.empty()) words = change_of(reader, field, json.value_or("null"), message);
      if (!words.empty())
        add("server_contract_misread",
            fmt::format("a consumer of v{} misreads \"{}\" of a message of v{} ({}): {}", reader.version, field.name,
                        message.writer->version, message.what->words, words));
    }
  }

  /// What was written has to arrive where both contracts have it and nothing converts it.
  std::string change_of(const payload_contract& reader, const contract::field& field, const std::string& json,
                        const sent& message) {
    const auto& contracts = line_.state.contracts;
    const contract::field* const written =
        &reader == message.writer ? &field
                                  : contract::counterpart(contracts, reader.version, field, message.writer->version);
    if (written == nullptr || !keeps_spelling(field, run_.of.lock->enumerations)) return {};
    if (base_of(written->type) != base_of(field.type)) return {};
    const auto given = message.given.find(written->name);
    if (given == message.given.end() || given->second == "null" || is_same_value(given->second, json)) return {};
    return fmt::format("{} was written, {} is read", given->second, json);
  }

  static std::string base_of(std::string type) {
    std::erase(type, '?');
    return type;
  }

  /// Whatever is left is no business of the next one.
  void discard() {
    // The newest page says where the next one begins.
    db_.run_script(is_stream() ? fmt::format("delete from {0}_event; delete from {0}_page where last_offset < "
                                             "(select max(last_offset) from {0}_page)",
                                             prefix_)
                   : contract::is_log(line_.state)
                       ? fmt::format("insert into {0}_end select h.claim_id, 0 from {0}_held as h; delete from "
                                     "{0}_message; delete from {0}_delayed",
                                     prefix_)
                       : fmt::format("delete from {0}_message; delete from {0}_delayed", prefix_));
  }

  /// The next migration may be one that waits until a contract is out of use.
  void forget_use() {
    for (const payload_contract* one : writers_) {
      for (const auto* hint : {"produced_at", is_stream() ? "read_at" : "swept_at"})
        db_.execute(fmt::format("select setval('{}_v{}_{}', 0, false)", prefix_, one->version, hint));
    }
  }

  void add(std::string_view code, std::string message) {
    run_.add(
        name::server_contracts, code, one_, part_, std::move(message),
        "what a released contract says must hold at every step: a hook must leave its functions and columns alone");
  }

  const server_run& run_;
  const contract::line& line_;
  const migrate::migration& one_;
  const migrate::step* part_;
  std::string prefix_;  // of the tables
  quern::connection db_;
  std::vector<const payload_contract*> writers_;
  std::vector<const payload_contract*> readers_;
  std::map<int, std::vector<sample>> samples_;
  std::map<std::int64_t, sent> waiting_;
};

class matrix_check {
 public:
  explicit matrix_check(const server_run& run) : run_{run}, at_{run.database()} {}

  void run() {
    auto how = run_.request(*at_);
    how.reached = [this](migrate::moment when, const auto& one, const auto& part) {
      if (when == migrate::moment::recorded) look(one, part);
    };
    try {
      migrate::apply(run_.files, how);
    } catch (const migrate::error& failed) {
      if (!is_of_migrations(failed)) throw;
      run_.add(name::server_contracts, "server_contract_call_fails", *last_, nullptr,
               fmt::format("does not go on beside programs that are at work: {}", first_words(failed)));
    }
  }

 private:
  void look(const migrate::migration& one, const migrate::step& part) {
    last_ = &one;
    const contract::line* const line = contract::find_line(*run_.of.lock, one.line);
    if (line == nullptr || line->state.contracts.empty() || line->state.is_dropped) return;
    const bool is_newest = one.number == count_of(run_, one.line);
    const bool is_end = &part == &one.steps.back();
    if (!is_end && !is_newest && !run_.how.is_thorough) return;
    run_.how.progress(
        fmt::format("trying the contracts of {} after {}, step {}", one.line, migrate::title(one), part.name));
    phase{run_, *at_, *line, one, &part}.run();
  }

  const server_run& run_;
  std::unique_ptr<scratch_place> at_;
  const migrate::migration* last_ = nullptr;
};

}  // namespace

void check_matrix(const server_run& run) {
  matrix_check{run}.run();
}

}  // namespace check
