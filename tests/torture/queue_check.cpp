#include "queue_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "order_check.hpp"
#include "records.hpp"

namespace torture {
namespace {

// Two clocks are compared, and one of them may be adjusted meanwhile.
constexpr micros tolerance = 20'000;

struct claim {
  std::int64_t attempt = 0;
  micros asked = 0;        // for messages, before it; 0: not known
  micros at = 0;           // it was certainly there by then
  micros lease_until = 0;  // by the clock of the histories
  micros held_until = 0;   // what the library said
  micros may_end = 0;      // given up from here on; 0: not
  micros first_asked_to_end = 0;
  micros asked_to_end = 0;  // for the last time
  std::int64_t tx = 0;
  std::int64_t place = 0;
  std::int64_t key = 0;
  std::string file{};

  /// Nobody else may have had it until then.
  micros certain_end() const {
    micros end = lease_until - tolerance;
    if (may_end != 0) end = std::min(end, may_end);
    if (first_asked_to_end != 0) end = std::min(end, first_asked_to_end);
    return std::max(end, held_until);
  }
};

/// How a message ended.
struct ending {
  std::int64_t message = 0;
  std::int64_t attempt = 0;
  std::int32_t place = 0;
  bool is_dead = false;

  std::string words() const {
    return is_dead ? fmt::format("message {}, a dead letter", message)
                   : fmt::format("message {} by attempt {}", message, attempt);
  }
};

/// By this the server's time of day becomes that of the histories.
micros since_the_epoch() {
  const auto day = std::chrono::system_clock::now().time_since_epoch();
  // PostgreSQL's own epoch does not matter here: the library gives times since 1970.
  return std::chrono::duration_cast<std::chrono::microseconds>(day).count() - now();
}

/// Calls for each row of what may be many.
void for_each_row(quern::connection& db, const std::string& query,
                  const std::function<void(const quern::row&)>& visit) {
  db.execute("begin");
  db.execute("declare found no scroll cursor for " + query);
  for (;;) {
    const auto rows = db.execute("fetch 100000 from found");
    if (rows.size() == 0) break;
    for (const quern::row each : rows) visit(each);
  }
  db.execute("commit");
}

class queue_checker {
 public:
  queue_checker(quern::connection& db, std::string queue, report& into)
      : db_{&db}, queue_{std::move(queue)}, into_{&into} {}

  void check(const std::filesystem::path& histories) {
    for_each_record(histories, queue_, [&](const std::string& file, const record& each) { take(file, each); });
    is_archived_ = db_->execute("select to_regclass('torture.' || $1 || '_done') is not null", queue_).value<bool>();
    take_handled();
    if (is_archived_) take_archive();
    take_dead();
    into_->count(queue_ + ": claims", claims_.size());
    check_claims();
    check_confirmed();
    check_transactions();
    if (is_ordered_) check_order(queue_, txs_, holds(), std::move(handlings_), *into_);
  }

 private:
  using message_attempt = std::pair<std::int64_t, std::int64_t>;

  void take(const std::string& file, const record& from) {
    if (from.what == mark::session || from.what == mark::error) losses_[file].push_back(from.at);
    if (take_tx(txs_, from) || take_trouble(*into_, file, from)) return;
    if (from.what == mark::asks) return void(asked_[file] = from.at);
    if (from.what == mark::ended) return void(confirmed_.emplace_back(from.numbers[0], from.numbers[1]));
    if (from.what == mark::claimed) return take_claim(file, from);
    const auto found = claims_.find({from.numbers[0], from.numbers[1]});
    if (found != claims_.end()) take_further(found->second, from);
  }

  void take_further(claim& mine, const record& from) const {
    if (from.what == mark::may_end && mine.may_end == 0) mine.may_end = from.at;
    if (from.what == mark::held) mine.held_until = std::max(mine.held_until, from.numbers[2]);
    if (from.what == mark::asks_to_end) {
      if (mine.first_asked_to_end == 0) mine.first_asked_to_end = from.at;
      mine.asked_to_end = std::max(mine.asked_to_end, from.at);
    }
    if (from.what == mark::extended) {
      mine.lease_until = from.numbers[2] - epoch_;
      mine.may_end = 0;
    }
  }

  void take_claim(const std::string& file, const record& from) {
    const auto [message, attempt, until, tx, place, key] = from.numbers;
    const auto asked = asked_.find(file);
    const auto [there, is_new] =
        claims_.try_emplace({message, attempt}, claim{.attempt = attempt,
                                                      .asked = asked == asked_.end() ? 0 : asked->second,
                                                      .at = from.at,
                                                      .lease_until = until - epoch_,
                                                      .tx = tx,
                                                      .place = place,
                                                      .key = key,
                                                      .file = file});
    if (!is_new)
      into_->violation("one worker an attempt", "{}: attempt {} of message {} was given to {} and to {}", queue_,
                       attempt, message, there->second.file, file);
    if (place == -1) shown_for_nothing(message, tx);
    is_ordered_ = is_ordered_ || key != 0;
  }

  void shown_for_nothing(std::int64_t message, std::int64_t tx) {
    into_->violation("only what is committed", "{}: message {} of transaction {} was rolled back to a savepoint",
                     queue_, message, tx);
  }

  /// What was ended together with its effect, and effects of workers, of which there may be several of one message.
  void take_handled() {
    std::uint64_t effects = 0;
    for_each_row(*db_,
                 fmt::format("select message_id, attempt, tx, place, how = 'worker', account, handled_id "
                             "from public.handled where queue = '{}'",
                             queue_),
                 [&](const quern::row& each) {
                   const message_attempt which{each.get<std::int64_t>(0), each.get<std::int32_t>(1)};
                   const keyed at{.key = each.get<std::optional<std::int64_t>>(5).value_or(0),
                                  .message = which.first,
                                  .tx = each.get<std::int64_t>(2),
                                  .place = each.get<std::int32_t>(3)};
                   ++effects;
                   if (each.get<bool>(4)) return void(effects_.insert(which).second && note_effect(at));
                   if (is_archived_) return void(ended_with_effect_.push_back(which));
                   end(which, at, each.get<std::int64_t>(6));
                 });
    into_->count(queue_ + ": messages handled", effects);
  }

  bool note_effect(const keyed& at) { return handled_places_.emplace(at.tx, at.place).second; }

  void end(message_attempt which, const keyed& at, std::int64_t when) {
    ended_.insert(which);
    ends_[at.tx].push_back({which.first, which.second, static_cast<std::int32_t>(at.place), false});
    if (at.key != 0) handlings_.push_back({at, when});
  }

  /// The database's own list of what has ended: each was handled by that attempt.
  void take_archive() {
    for_each_row(*db_,
                 fmt::format("select message_id, attempt, (payload->>'tx')::bigint, (payload->>'place')::integer, "
                             "(payload->>'account')::bigint, (extract(epoch from done_at) * 1000000)::bigint "
                             "from torture.{}_done",
                             queue_),
                 [&](const quern::row& each) {
                   end({each.get<std::int64_t>(0), each.get<std::int32_t>(1)},
                       {.key = each.get<std::optional<std::int64_t>>(4).value_or(0),
                        .message = each.get<std::int64_t>(0),
                        .tx = each.get<std::int64_t>(2),
                        .place = each.get<std::int32_t>(3)},
                       each.get<std::int64_t>(5));
                 });
    const std::set<message_attempt> together{ended_with_effect_.begin(), ended_with_effect_.end()};
    if (together.size() != ended_with_effect_.size())
      into_->violation("nothing ends twice", "{}: there are {} effects of {} attempts", queue_,
                       ended_with_effect_.size(), together.size());
    for (const auto& which : together)
      if (!ended_.contains(which))
        into_->violation("what is committed stays", "{}: the archive has no end of message {} by attempt {}", queue_,
                         which.first, which.second);
    for (const auto& which : ended_)
      if (!together.contains(which) && !effects_.contains(which))
        into_->violation("nothing ends unhandled", "{}: message {} was ended by attempt {}, which has not handled it",
                         queue_, which.first, which.second);
  }

  void take_dead() {
    std::uint64_t count = 0;
    for_each_row(
        *db_, fmt::format("select message_id, tx, place from torture.{}_dead", queue_), [&](const quern::row& each) {
          ends_[each.get<std::int64_t>(1)].push_back({each.get<std::int64_t>(0), 0, each.get<std::int32_t>(2), true});
          ++count;
        });
    into_->count(queue_ + ": dead letters", count);
  }

  /// Of two claims of a message the later one comes after the lease of the other, unless that was given up; and ends
  /// what the other could acknowledge.
  void check_claims() {
    for (auto one = claims_.begin(); one != claims_.end(); ++one) {
      const auto next = std::next(one);
      if (next == claims_.end() || next->first.first != one->first.first) continue;
      const claim& held = one->second;
      const claim& later = next->second;
      const bool was_given_up = (held.may_end != 0 && held.may_end < later.at) || may_have_lost_session(held);
      if (!was_given_up && later.at + tolerance < held.lease_until)
        into_->violation("a lease holds",
                         "{}: message {} was given to {} (attempt {}) {} us before the lease of {} ended", queue_,
                         one->first.first, later.file, later.attempt, held.lease_until - later.at, held.file);
      if (later.at < held.held_until)
        into_->violation("a heartbeat holds",
                         "{}: message {} was given to {} (attempt {}) {} us before {}, which was told nothing, left it",
                         queue_, one->first.first, later.file, later.attempt, held.held_until - later.at, held.file);
      if (ended_.contains(one->first) && later.at < held.asked_to_end)
        into_->violation("only the present attempt ends a message",
                         "{}: attempt {} of message {} was acknowledged by {} though {} had attempt {}", queue_,
                         held.attempt, one->first.first, held.file, later.file, later.attempt);
    }
  }

  /// What a registered worker has is free as soon as its session is gone, of which it hears later.
  bool may_have_lost_session(const claim& held) const {
    constexpr micros heard_after = 10'000'000;
    if (held.file.find(".staff.") == std::string::npos) return false;
    const auto found = losses_.find(held.file);
    if (found == losses_.end()) return false;
    const auto next = std::ranges::lower_bound(found->second, held.at);
    return next == found->second.end() || *next < held.at + heard_after;
  }

  micros certain_end(const claim& held) const {
    return may_have_lost_session(held) ? std::max(held.at, held.held_until) : held.certain_end();
  }

  std::vector<hold> holds() const {
    std::vector<hold> made;
    for (const auto& [which, each] : claims_)
      if (each.key != 0)
        made.push_back(
            {{each.key, which.first, each.tx, each.place}, each.asked, each.at, certain_end(each), each.file});
    return made;
  }

  void check_confirmed() {
    for (const auto& [message, attempt] : confirmed_)
      if (!ended_.contains({message, attempt}))
        into_->violation("what is committed stays",
                         "{}: the end of message {}, attempt {} was committed and is not there", queue_, message,
                         attempt);
  }

  /// Each message of a transaction that was committed has ended once; none of one that was not.
  void check_transactions() {
    for (const auto& [tx, ends] : ends_)
      if (const auto found = txs_.find(tx); found == txs_.end() || !found->second.may_be_seen())
        into_->violation("only what is committed", "{}: {} of transaction {}, which {}", queue_, ends.front().words(),
                         tx, why_unseen(txs_, tx));
    for (const auto& [tx, place] : handled_places_)
      if (const auto found = txs_.find(tx); found == txs_.end() || !found->second.may_be_seen())
        into_->violation("only what is committed", "{}: a worker has handled message {} of transaction {}, which {}",
                         queue_, place, tx, why_unseen(txs_, tx));
    std::uint64_t unknown = 0;
    for (const auto& [tx, known] : txs_) {
      unknown += known.is_unknown() ? 1 : 0;
      if (known.may_be_seen()) check_transaction(tx, known);
    }
    into_->count(queue_ + ": transactions", txs_.size());
    into_->count(queue_ + ": outcomes unknown", unknown);
  }

  void check_transaction(std::int64_t tx, const tx_facts& known) {
    std::vector<std::vector<ending>> by_place(static_cast<std::size_t>(known.count));
    const auto found = ends_.find(tx);
    if (found != ends_.end()) {
      for (const ending& each : found->second) {
        if (each.place < 0 || each.place >= known.count)
          into_->violation("only what is committed", "{}: {} has place {} of transaction {}", queue_, each.words(),
                           each.place, tx);
        else
          by_place[static_cast<std::size_t>(each.place)].push_back(each);
      }
    } else if (known.is_unknown()) {
      return;
    }
    for (std::size_t place = 0; place < by_place.size(); ++place) check_place(tx, place, by_place[place]);
  }

  void check_place(std::int64_t tx, std::size_t place, const std::vector<ending>& ends) {
    if (ends.empty() && !may_have_been_ended(tx, place))
      into_->violation("nothing is lost", "{}: message {} of transaction {} was committed and never ended", queue_,
                       place, tx);
    if (ends.size() < 2) return;
    std::vector<std::string> words;
    for (const ending& each : ends) words.push_back(each.words());
    into_->violation("nothing ends twice", "{}: message {} of transaction {} ended as {}", queue_, place, tx,
                     fmt::join(words, " and as "));
  }

  /// By a worker, of whose ends only an archive knows.
  bool may_have_been_ended(std::int64_t tx, std::size_t place) const {
    return !is_archived_ && handled_places_.contains({tx, static_cast<std::int64_t>(place)});
  }

  quern::connection* db_;
  std::string queue_;
  report* into_;
  micros epoch_ = since_the_epoch();
  bool is_ordered_ = false;
  bool is_archived_ = false;
  tx_map txs_;
  std::map<message_attempt, claim> claims_;
  std::unordered_map<std::string, micros> asked_;
  std::unordered_map<std::string, std::vector<micros>> losses_;
  std::vector<message_attempt> confirmed_;
  std::set<message_attempt> ended_;
  std::set<message_attempt> effects_;
  std::vector<message_attempt> ended_with_effect_;
  std::set<std::pair<std::int64_t, std::int64_t>> handled_places_;
  std::vector<handling> handlings_;
  std::unordered_map<std::int64_t, std::vector<ending>> ends_;
};

}  // namespace

void check_queue(quern::connection& db, const std::filesystem::path& histories, const std::string& queue,
                 report& into) {
  queue_checker{db, queue, into}.check(histories);
}

}  // namespace torture
