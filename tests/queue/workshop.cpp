#include "queue/workshop.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <quern/error.hpp>

#include "queue/generated.hpp"
#include "support/database.hpp"

namespace test {
namespace {

std::string text_of(const quern::result& rows) {
  std::string text;
  for (const auto row : rows) {
    if (!text.empty()) text += ' ';
    for (std::size_t column = 0; column < rows.column_count(); ++column) {
      if (column > 0) text += '|';
      text += row.is_null(column) ? "null" : row.get<std::string>(column);
    }
  }
  return text;
}

template <class Number>
Number number(const std::string& text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "''" : std::string{c};
  return result + "'";
}

/// With storage = "log" in each queue that has not said how it is stored.
std::string stored_as_wanted(std::string_view declaration) {
  std::string text{declaration};
  if (!test::is_log()) return text;
  for (const auto* key : {"storage", "priorities", "unique", "ordered_by", "keep_done"})
    if (text.find(key) != std::string::npos) return text;
  for (auto at = text.find("[queues."); at != std::string::npos; at = text.find("[queues.", at + 1)) {
    const auto end = text.find(']', at);
    if (text.substr(at, end - at).find(".payload") != std::string::npos) continue;
    text.insert(end + 1, "\nstorage = \"log\"");
  }
  return text;
}

std::string next_schema() {
  static std::atomic<int> count = 0;
  return fmt::format("works_{}", ++count);
}

/// The sequences that say when a claim last looked everywhere, one for each priority.
std::string sweeps(std::string_view queue) {
  return fmt::format(
      "(select oid::regclass from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'S' and "
      "relname ~ '^{}_v1_swept_at(_[0-9])?$') as c",
      queue);
}

// Roles belong to the whole server, which other tests use at the same time.
constexpr std::string_view make_roles = R"(
do $$
declare
  v_role text;
begin
  foreach v_role in array array['qt_web', 'qt_mailer', 'qt_ops', 'qt_stranger'] loop
    begin
      execute format('create role %I login', v_role);
    exception when duplicate_object or unique_violation then
    end;
  end loop;
end
$$;
)";

}  // namespace

bool is_log() {
  const char* const given = std::getenv("QUERN_TEST_STORAGE");
  return given != nullptr && std::string_view{given} == "log";
}

const std::string_view mail_queue = R"(
[queues.mail]
lease  = "30s"
retry  = { max_attempts = 3, backoff = "constant", initial = "10s", jitter = 0 }
grants = { produce = ["qt_web"], consume = ["qt_mailer"], operate = ["qt_ops"] }
[queues.mail.payload]
body = "text"
)";

session::session(const std::string& url, const std::string& schema) : db_{url} {
  db_.run_script(fmt::format("set client_min_messages = error; set search_path = {}", schema));
}

std::string session::ask(std::string_view sql) {
  const auto results = db_.run_script(sql);
  return results.empty() ? std::string{} : text_of(results.back());
}

std::string session::refusal(std::string_view sql) {
  try {
    db_.run_script(sql);
  } catch (const quern::error& refused) {
    const auto detail = refused.detail().empty() ? std::string{} : fmt::format(" ({})", refused.detail());
    return fmt::format("{}: {}{}", refused.sqlstate(), refused.message(), detail);
  }
  return {};
}

std::future<std::string> session::later(std::string sql) {
  return std::async(std::launch::async, [this, sql = std::move(sql)] { return ask(sql); });
}

std::int64_t session::send(std::string_view body, std::string_view delay) {
  return number<std::int64_t>(ask(fmt::format("select mail_enqueue_v1({}, '{}')", quoted(body), delay)));
}

std::vector<held> session::held_by(std::string_view sql) {
  std::vector<held> messages;
  const auto results = db_.run_script(sql);
  for (const auto row : results.back())
    messages.push_back(
        {number<std::int64_t>(row.get<std::string>(0)), number<int>(row.get<std::string>(1)), row.get<std::string>(2)});
  return messages;
}

std::vector<held> session::receive(int count, std::string_view lease) {
  return held_by(fmt::format("select message_id, attempt, body from mail_claim_v1({}, '{}')", count, lease));
}

std::vector<held> session::take(int count) {
  return held_by(fmt::format("select message_id, attempt, body from mail_take_v1({})", count));
}

held session::first(const std::vector<held>& messages) {
  return messages.empty() ? held{} : messages.front();
}

bool session::ack(const held& message) {
  return ask(fmt::format("select mail_ack({}, {})", message.id, message.attempt)) == "t";
}

std::string session::ack_many(const std::vector<held>& messages) {
  std::string ids;
  std::string attempts;
  for (const auto& message : messages) {
    ids += fmt::format("{}{}", ids.empty() ? "" : ",", message.id);
    attempts += fmt::format("{}{}", attempts.empty() ? "" : ",", message.attempt);
  }
  return ask(fmt::format("select mail_ack_many('{{{}}}', '{{{}}}')", ids, attempts));
}

std::string session::fail(const held& message, std::string_view delay, std::string_view error) {
  return ask(fmt::format("select mail_nack({}, {}, {}, '{}')", message.id, message.attempt, quoted(error), delay));
}

bool session::extend(const held& message, std::string_view lease) {
  return ask(fmt::format("select mail_extend({}, {}, '{}')", message.id, message.attempt, lease)) != "null";
}

bool session::release(const held& message) {
  return ask(fmt::format("select mail_release({}, {})", message.id, message.attempt)) == "t";
}

bool session::redrive(std::int64_t id) {
  return ask(fmt::format("select mail_redrive({})", id)) == "t";
}

std::string bodies(const std::vector<held>& messages) {
  std::string text;
  for (const auto& message : messages) text += (text.empty() ? "" : " ") + message.body;
  return text;
}

workshop::workshop(std::string_view declaration, const std::string& url)
    : url_{url}, schema_{next_schema()}, db{url_, schema_} {
  db.ask(std::string{make_roles});
  db.ask(fmt::format("create schema {}; {}", schema_, migrations_of(stored_as_wanted(declaration), schema_)));
}

const std::string& workshop::shared_url() {
  static const database shared;
  return shared.url();
}

session workshop::open(std::string_view role) const {
  return {role.empty() ? url_ : with_user(url_, role), schema_};
}

void workshop::advance(std::chrono::milliseconds time, std::string_view queue) {
  db.ask(fmt::format(R"(
    update {0}_message set {2}enqueued_at = enqueued_at - {1};
    {3}
    update {0}_delayed
    set lease_until = lease_until - {1}, enqueued_at = enqueued_at - {1}, due_at = due_at - {1};
  )",
                     queue, fmt::format("interval '{} ms'", time.count()),
                     has_log(queue) ? "" : fmt::format("lease_until = lease_until - interval '{} ms', ", time.count()),
                     has_log(queue) ? fmt::format("update {}_claim set lease_until = lease_until - interval '{} ms';",
                                                  queue, time.count())
                                    : std::string{}));
  for (const auto* table : {"message", "delayed"}) {
    if (db.ask(fmt::format("select count(*) from pg_attribute where attrelid = '{}_{}'::regclass and attname = "
                           "'quern_expires_at'",
                           queue, table)) == "1")
      db.ask(fmt::format("update {}_{} set quern_expires_at = quern_expires_at - interval '{} ms'", queue, table,
                         time.count()));
  }
  if (db.ask(fmt::format("select to_regclass('{}_dead') is not null", queue)) == "t")
    db.ask(
        fmt::format("update {0}_dead set dead_at = dead_at - interval '{1} ms', "
                    "enqueued_at = enqueued_at - interval '{1} ms'",
                    queue, time.count()));
  make_sweep_due(queue);
}

void workshop::make_sweep_due(std::string_view queue) {
  // Within this minute, and not within the last 100 ms: before now or, as a clock that was set back leaves it, after.
  db.ask(fmt::format(R"(
    select setval(c.oid, n.ms - n.ms % 60000 + case when n.ms % 60000 > 5000 then 0 else 50000 end)
    from (select floor(extract(epoch from clock_timestamp()) * 1000)::bigint) as n(ms), {}
  )",
                     sweeps(queue)));
}

void workshop::make_short_sweep_due(std::string_view queue) {
  // 150 ms ago, within the same five seconds as now and some time to come.
  db.ask(fmt::format(R"(
    do $$
    begin
      while floor(extract(epoch from clock_timestamp()) * 1000)::bigint % 5000 not between 200 and 3000 loop
        perform pg_sleep(0.05);
      end loop;
      perform setval(c.oid, floor(extract(epoch from clock_timestamp()) * 1000)::bigint - 150) from {};
    end
    $$
  )",
                     sweeps(queue)));
}

void workshop::skip_ids(std::int64_t count, std::string_view queue) {
  db.ask(fmt::format("select setval('{0}_message_id', pg_sequence_last_value('{0}_message_id') + {1})", queue, count));
}

void workshop::make_full_sweep_due(std::string_view queue) {
  db.ask(fmt::format("select setval(c.oid, 0) from {}", sweeps(queue)));
}

bool workshop::has_log(std::string_view queue) {
  return db.ask(fmt::format("select to_regclass('{}_live') is not null", queue)) == "t";
}

void workshop::clear(std::string_view queue) {
  db.ask(fmt::format("{1} delete from {0}_message; delete from {0}_delayed; delete from {0}_dead", queue,
                     has_log(queue) ? fmt::format("insert into {0}_end select h.claim_id, 0 from {0}_held as h;", queue)
                                    : std::string{}));
}

void workshop::make_last(std::string_view queue) {
  // What was handed out of a log cannot be anything but the first attempt: it is set apart before.
  db.ask(has_log(queue) ? fmt::format("select {0}_set_apart(h.claim_id, false) from {0}_held as h", queue)
                        : fmt::format("update {}_message set release_count = attempt - 3", queue));
  db.ask(fmt::format("update {}_delayed set release_count = attempt - 3", queue));
}

std::string workshop::counts(std::string_view queue) {
  return db.ask(fmt::format("select ready, delayed, leased, dead from {}_stats()", queue));
}

std::string workshop::contents(std::string_view queue) {
  auto tables = fmt::format(
      "select 'message', to_jsonb(t) from {0}_{1} t union all select 'delayed', to_jsonb(t) "
      "from {0}_delayed t",
      queue, has_log(queue) ? "live" : "message");
  if (db.ask(fmt::format("select to_regclass('{}_dead') is not null", queue)) == "t")
    tables += fmt::format(" union all select 'dead', to_jsonb(t) from {}_dead t", queue);
  return db.ask(fmt::format("select * from ({}) as t order by 2, 1", tables));
}

void workshop::wait_until_blocked(const session& who) {
  wait_until(url_, fmt::format("select cardinality(pg_blocking_pids({})) > 0", who.pid()));
}

}  // namespace test
