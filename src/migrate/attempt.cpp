#include "migrate/attempt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "migrate/script.hpp"
#include "migrate/statements.hpp"

namespace migrate {
namespace {

using namespace std::chrono_literals;

// A short wait for a lock should not be over before somebody has looked whom it is for.
std::chrono::milliseconds pause_between_looks(const job& one) {
  if (one.lock_timeout == 0ms) return 200ms;
  return std::clamp<std::chrono::milliseconds>(one.lock_timeout / 3, 10ms, 200ms);
}

// `place`: the byte in the text at which it failed.
std::string explain(const sourced_sql& text, std::optional<std::size_t> place, const quern::failure& details) {
  std::string words = text.where;
  if (place) {
    const auto end = text.sql.begin() + static_cast<std::ptrdiff_t>(std::min(*place, text.sql.size()));
    words += fmt::format(":{}", text.first_line + std::count(text.sql.begin(), end, '\n'));
  }
  words += ": " + details.message;
  if (!details.sqlstate.empty()) words += fmt::format(" (SQLSTATE {})", details.sqlstate);
  if (!details.detail.empty()) words += fmt::format("\n  detail: {}", details.detail);
  if (!details.hint.empty()) words += fmt::format("\n  hint: {}", details.hint);
  if (!details.context.empty()) words += fmt::format("\n  context: {}", details.context);
  return words;
}

// From the position that the server gives; without one, from the statement at which it stopped.
std::optional<std::size_t> place_in_transaction(const job& one, const script_failure& failed) {
  const auto opening = transaction_opening(one);
  if (failed.details.position > 0) {
    std::size_t before = 0;
    for (const std::string& statement : opening) before += statement.size();
    const auto character = static_cast<std::size_t>(failed.details.position - 1);
    if (character < before) return std::nullopt;
    const std::size_t byte = byte_of_character(one.text.sql, character - before);
    return byte < one.text.sql.size() ? std::optional{byte} : std::nullopt;
  }
  const std::vector<std::size_t> starts = split_statements(one.text.sql).starts;
  if (failed.completed < opening.size() || failed.completed - opening.size() >= starts.size()) return std::nullopt;
  return starts[failed.completed - opening.size()];
}

quern::failure details_of(const quern::error& failed) {
  return {.message = failed.message(),
          .sqlstate = failed.sqlstate(),
          .detail = failed.detail(),
          .hint = failed.hint(),
          .context = failed.context(),
          .position = failed.position(),
          .is_connection_lost = failed.connection_lost()};
}

setback as_setback(const job& one, const script_failure& failed) {
  return {failed.details, explain(one.text, place_in_transaction(one, failed), failed.details)};
}

std::optional<setback> attempt_in_transaction(quern::connection& work, const job& one, const onlookers& watching) {
  if (!watching.before_commit) {
    const auto failed = run_script(work, spelled(one), pause_between_looks(one), watching.while_waiting);
    return failed ? std::optional{as_setback(one, *failed)} : std::nullopt;
  }
  auto failed = run_script(work, open_transaction(one), pause_between_looks(one), watching.while_waiting,
                           open_transactions::stay);
  if (!failed) {
    watching.before_commit();
    failed = run_script(work, "commit", pause_between_looks(one), watching.while_waiting);
  }
  return failed ? std::optional{as_setback(one, *failed)} : std::nullopt;
}

// A job outside of a transaction, statement by statement.
class outside_attempt {
 public:
  outside_attempt(quern::connection& work, const job& one, const onlookers& watching)
      : work_{work}, one_{one}, watching_{watching} {}

  std::optional<setback> run() {
    const auto opening = session_opening(one_);
    for (const std::string& statement : opening)
      if (auto failed = record(statement)) return failed;
    auto failed = run_steps();
    if (failed && !failed->details.is_connection_lost) clear_away(*failed);
    if (!failed || !failed->details.is_connection_lost) record(std::string{session_closing});
    return failed;
  }

 private:
  std::optional<setback> run_steps() {
    bool is_done = false;
    if (auto failed = ask(is_done)) return failed;
    if (is_done) return record(one_.mark_begun + one_.mark_done);
    if (auto failed = record(one_.mark_begun)) return failed;
    watching_.when_begun();
    if (one_.cleanup)
      if (auto failed = send(*one_.cleanup)) return failed;
    if (auto failed = send(one_.text)) return failed;
    if (auto failed = check()) return failed;
    watching_.when_executed();
    return record(one_.mark_done);
  }

  std::optional<setback> record(const std::string& sql) {
    const auto failed = run_script(work_, sql, pause_between_looks(one_), watching_.while_waiting);
    if (!failed) return std::nullopt;
    return setback{failed->details, explain({.where = "the ledger"}, {}, failed->details)};
  }

  std::optional<setback> send(const sourced_sql& text) {
    const std::vector<std::size_t> starts = split_statements(text.sql).starts;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : text.sql.size();
      const std::string statement = text.sql.substr(starts[i], end - starts[i]);
      const auto failed = run_script(work_, statement, pause_between_looks(one_), watching_.while_waiting);
      if (!failed) continue;
      const auto position = static_cast<std::size_t>(std::max(failed->details.position - 1, 0));
      return setback{failed->details,
                     explain(text, starts[i] + byte_of_character(statement, position), failed->details)};
    }
    return std::nullopt;
  }

  // Without a row, or with a null, the answer is no.
  std::optional<setback> ask(bool& answer) {
    if (!one_.probe || split_statements(one_.probe->sql).starts.empty()) return std::nullopt;
    try {
      const quern::result found = work_.execute(one_.probe->sql);
      for (const quern::row row : found) answer = row.get<std::optional<bool>>(0).value_or(false);
      if (found.size() > 1) return wrong_probe("gave more than one row");
      return std::nullopt;
    } catch (const quern::codec_error&) {
      return wrong_probe("gave no boolean");
    } catch (const quern::error& failed) {
      const quern::failure details = details_of(failed);
      return setback{details, explain(*one_.probe, {}, details)};
    }
  }

  setback wrong_probe(std::string_view what) const {
    const quern::failure details{.message = fmt::format("the probe {}: it should be a query of one boolean", what)};
    return {details, explain(*one_.probe, 0, details)};
  }

  std::optional<setback> check() {
    if (!one_.probe || split_statements(one_.probe->sql).starts.empty()) return std::nullopt;
    bool is_done = false;
    if (auto failed = ask(is_done)) return failed;
    if (is_done) return std::nullopt;
    const quern::failure details{.message = "every statement succeeded, but the probe says that the step is not done"};
    return setback{details, explain(*one_.probe, 0, details)};
  }

  void clear_away(setback& after) {
    if (!one_.cleanup) return;
    if (send(*one_.cleanup) || record(one_.mark_untouched)) return;
    after.left = "its cleanup has removed what it left behind";
  }

  quern::connection& work_;
  const job& one_;
  const onlookers& watching_;
};

}  // namespace

std::optional<setback> attempt(quern::connection& work, const job& one, const onlookers& watching) {
  if (one.is_transactional) return attempt_in_transaction(work, one, watching);
  return outside_attempt{work, one, watching}.run();
}

}  // namespace migrate
