#include "queue_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "records.hpp"

namespace torture {
namespace {

// Two clocks are compared, and one of them may be adjusted meanwhile.
constexpr micros tolerance = 20'000;

struct claim {
  std::int64_t attempt = 0;
  micros at = 0;           // it was certainly there by then
  micros lease_until = 0;  // by the clock of the histories
  micros may_end = 0;      // given up from here on; 0: not
  micros asked_to_end = 0;
  std::string file{};
};

/// By this the server's time of day becomes that of the histories.
micros since_the_epoch() {
  const auto day = std::chrono::system_clock::now().time_since_epoch();
  // PostgreSQL's own epoch does not matter here: the library gives times since 1970.
  return std::chrono::duration_cast<std::chrono::microseconds>(day).count() - now();
}

class queue_checker {
 public:
  queue_checker(quern::connection& db, std::string queue, report& into)
      : db_{&db}, queue_{std::move(queue)}, into_{&into} {}

  void check(const std::filesystem::path& histories) {
    for_each_record(histories, queue_, [&](const std::string& file, const record& each) { take(file, each); });
    take_handled();
    take_dead();
    check_claims();
    check_confirmed();
    check_transactions();
  }

 private:
  using message_attempt = std::pair<std::int64_t, std::int64_t>;

  void take(const std::string& file, const record& from) {
    if (take_tx(txs_, from) || take_trouble(*into_, file, from)) return;
    const auto [message, attempt, until, tx, place] = from.numbers;
    if (from.what == mark::ended) return void(confirmed_.emplace_back(message, attempt));
    if (from.what == mark::claimed) return take_claim(file, from);
    const auto found = claims_.find({message, attempt});
    if (found == claims_.end()) return;
    claim& mine = found->second;
    if (from.what == mark::may_end && mine.may_end == 0) mine.may_end = from.at;
    if (from.what == mark::asks_to_end) mine.asked_to_end = std::max(mine.asked_to_end, from.at);
    if (from.what == mark::extended) {
      mine.lease_until = until - epoch_;
      mine.may_end = 0;
    }
  }

  void take_claim(const std::string& file, const record& from) {
    const auto [message, attempt, until, tx, place] = from.numbers;
    const auto [there, is_new] = claims_.try_emplace(
        {message, attempt}, claim{.attempt = attempt, .at = from.at, .lease_until = until - epoch_, .file = file});
    if (!is_new)
      into_->violation("one worker an attempt", "{}: attempt {} of message {} was given to {} and to {}", queue_,
                       attempt, message, there->second.file, file);
    if (place == -1) shown_for_nothing(message, tx);
  }

  void shown_for_nothing(std::int64_t message, std::int64_t tx) {
    into_->violation("only what is committed", "{}: message {} of transaction {} was rolled back to a savepoint",
                     queue_, message, tx);
  }

  void take_handled() {
    const auto rows =
        db_->execute("select message_id, attempt, tx, place, how from public.handled where queue = $1", queue_);
    for (const quern::row each : rows) {
      const message_attempt which{each.get<std::int64_t>(0), each.get<std::int32_t>(1)};
      handled_.insert(which);
      ends_[each.get<std::int64_t>(2)].emplace_back(
          each.get<std::int32_t>(3),
          fmt::format("message {} by {}, attempt {}", which.first, each.get<std::string>(4), which.second));
    }
    into_->count(queue_ + ": messages handled", rows.size());
    into_->count(queue_ + ": claims", claims_.size());
  }

  void take_dead() {
    const auto rows = db_->execute(fmt::format("select message_id, tx, place from torture.{}_dead", queue_));
    for (const quern::row each : rows)
      ends_[each.get<std::int64_t>(1)].emplace_back(
          each.get<std::int32_t>(2), fmt::format("message {}, a dead letter", each.get<std::int64_t>(0)));
    into_->count(queue_ + ": dead letters", rows.size());
  }

  /// Of two claims of a message the later one comes after the lease of the other, unless that was given up; and ends
  /// what the other could acknowledge.
  void check_claims() {
    for (auto one = claims_.begin(); one != claims_.end(); ++one) {
      const auto next = std::next(one);
      if (next == claims_.end() || next->first.first != one->first.first) continue;
      const claim& held = one->second;
      const claim& later = next->second;
      const bool was_given_up = held.may_end != 0 && held.may_end < later.at;
      if (!was_given_up && later.at + tolerance < held.lease_until)
        into_->violation("a lease holds",
                         "{}: message {} was given to {} (attempt {}) {} us before the lease of {} ended", queue_,
                         one->first.first, later.file, later.attempt, held.lease_until - later.at, held.file);
      if (handled_.contains(one->first) && later.at < held.asked_to_end)
        into_->violation("only the present attempt ends a message",
                         "{}: attempt {} of message {} was acknowledged by {} though {} had attempt {}", queue_,
                         held.attempt, one->first.first, held.file, later.file, later.attempt);
    }
  }

  void check_confirmed() {
    for (const auto& [message, attempt] : confirmed_)
      if (!handled_.contains({message, attempt}))
        into_->violation("what is committed stays",
                         "{}: the end of message {}, attempt {} was committed and is not there", queue_, message,
                         attempt);
  }

  /// Each message of a transaction that was committed has ended once; none of one that was not.
  void check_transactions() {
    for (const auto& [tx, ends] : ends_)
      if (const auto found = txs_.find(tx); found == txs_.end() || !found->second.may_be_seen())
        into_->violation("only what is committed", "{}: {} of transaction {}, which {}", queue_, ends.front().second,
                         tx, why_unseen(txs_, tx));
    std::uint64_t unknown = 0;
    for (const auto& [tx, known] : txs_) {
      unknown += known.is_unknown() ? 1 : 0;
      if (known.may_be_seen()) check_transaction(tx, known);
    }
    into_->count(queue_ + ": transactions", txs_.size());
    into_->count(queue_ + ": outcomes unknown", unknown);
  }

  void check_transaction(std::int64_t tx, const tx_facts& known) {
    std::vector<std::vector<std::string>> by_place(static_cast<std::size_t>(known.count));
    const auto found = ends_.find(tx);
    if (found != ends_.end()) {
      for (const auto& [place, words] : found->second) {
        if (place < 0 || place >= known.count)
          into_->violation("only what is committed", "{}: {} has place {} of transaction {}", queue_, words, place, tx);
        else
          by_place[static_cast<std::size_t>(place)].push_back(words);
      }
    } else if (known.is_unknown()) {
      return;
    }
    for (std::size_t place = 0; place < by_place.size(); ++place) {
      if (by_place[place].empty())
        into_->violation("nothing is lost", "{}: message {} of transaction {} was committed and never ended", queue_,
                         place, tx);
      if (by_place[place].size() > 1)
        into_->violation("nothing ends twice", "{}: message {} of transaction {} ended as {}", queue_, place, tx,
                         fmt::join(by_place[place], " and as "));
    }
  }

  quern::connection* db_;
  std::string queue_;
  report* into_;
  micros epoch_ = since_the_epoch();
  tx_map txs_;
  std::map<message_attempt, claim> claims_;
  std::vector<message_attempt> confirmed_;
  std::set<message_attempt> handled_;
  std::unordered_map<std::int64_t, std::vector<std::pair<std::int64_t, std::string>>> ends_;
};

}  // namespace

void check_queue(quern::connection& db, const std::filesystem::path& histories, const std::string& queue,
                 report& into) {
  queue_checker{db, queue, into}.check(histories);
}

}  // namespace torture
