#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <quern/claim_token.hpp>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <quern/error.hpp>
#include <quern/event.hpp>
#include <quern/failed_attempt.hpp>
#include <quern/look_on.hpp>
#include <quern/maintenance.hpp>
#include <quern/parameters.hpp>
#include <quern/pipeline.hpp>
#include <quern/seal.hpp>
#include <quern/transaction.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern {

/// Whose session a connection has.
enum class session_kind {
  own,    // as long as the connection lives: its claims are free as soon as it is gone
  pooled  // one that others have, too: claims come back when their lease runs out
};

/// One of the workers that share the cursor of a cooperative consumer of a stream: no two have the same event. What it
/// claims at once is one claim with one lease; whoever has lost that can change nothing any more, and is told so.
/// The connection must outlive it and must not move. Claims need READ COMMITTED (else SQLSTATE QN004).
template <stream_contract Contract>
class cooperative_consumer {
 public:
  using contract_type = Contract;
  using payload_type = typename Contract::payload_type;
  using message_type = claimed_event<payload_type>;
  using lease = std::optional<std::chrono::microseconds>;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  cooperative_consumer(connection& on, std::string name, session_kind session = session_kind::own)
      : on_{&on}, name_{std::move(name)}, session_{session} {
    start_over();
  }

  /// After connection::reopen(): what the constructor does. Claims of the session before are free for all.
  void start_over() {
    shake_hands<Contract>(*on_);
    if (session_ == session_kind::own) on_->execute(Contract::enlist);
  }

  /// The same consumer on another connection.
  cooperative_consumer another(connection& other) const { return {other, name_, session_}; }

  /// Up to `count` events, for `length` or as the consumer is declared; none when of what is committed by now there are
  /// none that no other worker has, or a filter has let nothing through for a second: see is_behind(). First comes what
  /// another worker has left behind, then what has failed before. Also none where all that there was are unreadable():
  /// claim again. Throws std::logic_error in a transaction,
  /// database_error QN023 when the stream has no consumer of that name, QN025 when it is not cooperative, QN021 when
  /// the next event is of a contract that this one cannot read.
  std::vector<message_type> claim(std::int32_t count = 100, lease length = {}) {
    if (on_->is_in_transaction())
      throw std::logic_error{"quern::cooperative_consumer: give the transaction to claim() inside of one"};
    unreadable_.clear();
    maintenance_.when_due<Contract>(*on_);
    const auto ask_once = [&] { return ask(*on_, count, length); };
    return look_on<Contract>(
        *on_, name_, [&] { return ask_to_the_end<Contract>(*on_, ask_once); }, longest_look);
  }

  /// The same in a transaction; no other worker claims until that ends. Gives what has an offset by now.
  std::vector<message_type> claim(transaction& within, std::int32_t count = 100, lease length = {}) {
    unreadable_.clear();
    return ask(within, count, length);
  }

  /// What the last claim() or ack_and_claim() got and could not read. Each was a failed attempt, with the reason as its
  /// error: it comes again, or is dead.
  const std::vector<unreadable_message>& unreadable() const noexcept { return unreadable_; }

  /// The event and all before it in its claim are done, but those that have failed. False: the claim was no longer the
  /// current one, and nothing is changed; in a transaction, take that back.
  bool ack(const message_type& last) {
    return on_->execute(Contract::ack, name_, last.batch, last.offset).template value<std::int64_t>() != 0;
  }

  /// The events are done; each claim's come in their order. Returns the offsets of those whose claim was no longer the
  /// current one.
  std::vector<std::int64_t> ack(std::span<const message_type> done) {
    std::vector<std::int64_t> lost;
    while (!done.empty()) {
      const auto claim = first_claim(done);
      if (!ack(claim.back())) {
        for (const auto& each : claim) lost.push_back(each.offset);
      }
      done = done.subspan(claim.size());
    }
    return lost;
  }

  struct claimed {
    std::vector<message_type> messages;
    std::vector<std::int64_t> lost;  // of those that were to be acknowledged
  };

  /// ack(done), then claim(count, length): each a transaction of its own, in one round trip where `done` is of one
  /// claim. Where the claim is refused there, it gives none: the next one says why. Throws std::logic_error in a
  /// transaction.
  claimed ack_and_claim(std::span<const message_type> done, std::int32_t count, lease length = {}) {
    if (on_->is_in_transaction()) throw std::logic_error{"quern::cooperative_consumer: ack and claim in a transaction"};
    if (!done.empty() && first_claim(done).size() == done.size()) return send_both(done, count, length);
    auto lost = ack(done);
    return {claim(count, length), std::move(lost)};
  }

  /// One event has failed, the others of its claim go on, but for later ones of its key where the consumer is ordered:
  /// see left_of(). `error` is kept with a copy of it, see kept_error(). It comes again after `delay`; without it,
  /// after what the declaration says.
  nack_outcome nack(const message_type& failed, std::string_view error = {},
                    std::optional<std::chrono::microseconds> delay = {}) {
    return fail(failed.batch, failed.offset, error, delay);
  }

  /// Holds the claim of an event for longer: `length` from now, by the server's clock. Returns when that ends; nothing
  /// when the claim was no longer the current one.
  std::optional<timestamp> extend(const message_type& held, lease length = {}) {
    return extend_over(*on_, token_of(held), length);
  }

  /// The same over another connection, from any thread.
  std::optional<timestamp> extend_over(connection& other, const claim_token& held, lease length = {}) const {
    return other.execute(Contract::extend, name_, held.id, std::optional<interval>{length})
        .template value<std::optional<timestamp>>();
  }

  /// Holds the claim of the first for longer, and notes that in all of them. False: it is lost.
  bool hold(std::span<message_type> held, lease length = {}) {
    const auto until = extend(held.front(), length);
    for (auto& each : held) {
      if (until && each.batch == held.front().batch) each.lease_until = *until;
    }
    return until.has_value();
  }

  /// The offsets of what is left of an event's claim. When one has failed and the consumer is ordered, the later ones
  /// of its key are not among them any more: they come again after it.
  std::vector<std::int64_t> left_of(const message_type& held) {
    return on_->execute(Contract::held, name_, held.batch).template value<std::vector<std::int64_t>>();
  }

  /// Gives what is left of a claim back at once, as if it had not been claimed: the attempt does not count against the
  /// retries. False: the claim was no longer the current one.
  bool release(const message_type& held) {
    return on_->execute(Contract::release, name_, held.batch).template value<bool>();
  }

  /// The same of all of them.
  void release(std::span<const message_type> held) {
    while (!held.empty()) {
      release(held.front());
      held = held.subspan(first_claim(held).size());
    }
  }

  /// In how long a failed event is due, or a claim of another worker runs out.
  std::optional<interval> next_due() {
    return on_->execute(Contract::next_due, name_).template value<std::optional<interval>>();
  }

  /// Whether there are events at which nobody has looked for this consumer's filter; then claim() that has given none
  /// is to be called again.
  bool is_behind() { return looked_up_to<Contract>(*on_, name_).has_value(); }

  static std::int64_t id_of(const message_type& event) { return event.offset; }

  static claim_token token_of(const message_type& event) { return {event.batch, event.attempt}; }

  const std::string& name() const noexcept { return name_; }

  connection& on() const noexcept { return *on_; }

 private:
  // A worker looks at its stop token in between.
  static constexpr std::chrono::seconds longest_look{1};

  template <class Executor>
  std::vector<message_type> ask(Executor& with, std::int32_t count, const lease& length) {
    return decode(
        with.execute(Contract::claim, name_, count, std::optional<interval>{length}, !on_->is_in_transaction()));
  }

  /// Other workers claim while the acknowledgement is flushed: that is why they are two transactions.
  claimed send_both(std::span<const message_type> done, std::int32_t count, const lease& length) {
    unreadable_.clear();
    maintenance_.when_due<Contract>(*on_);
    constexpr std::size_t ack_size = 3;
    constexpr std::size_t claim_size = 4;
    values_.clear();
    values_.add(name_);
    values_.add(done.back().batch);
    values_.add(done.back().offset);
    values_.add(name_);
    values_.add(count);
    values_.add(std::optional<interval>{length});
    values_.add(true);
    pipeline::prepare(*on_, Contract::ack, values_, 0, ack_size);
    pipeline::prepare(*on_, Contract::claim, values_, ack_size, claim_size);
    claimed answer;
    std::exception_ptr refused;
    bool is_claim_refused = false;
    result rows;
    {
      pipeline both{*on_};
      both.add(Contract::ack, values_, 0, ack_size);
      both.sync();
      both.add(Contract::claim, values_, ack_size, claim_size);
      both.sync();
      try {
        const bool is_done = both.next().template value<std::int64_t>() != 0;
        both.finish();
        if (!is_done) {
          for (const auto& each : done) answer.lost.push_back(each.offset);
        }
      } catch (const database_error&) {
        refused = std::current_exception();
      }
      try {
        rows = both.next();
        both.finish();
      } catch (const database_error&) {
        // What became of the acknowledgement must not be lost with it.
        is_claim_refused = true;
      }
    }
    if (!is_claim_refused) answer.messages = decode(rows);
    if (refused) {
      release(answer.messages);
      std::rethrow_exception(refused);
    }
    if (rows.empty() && !is_claim_refused) answer.messages = claim(count, length);
    return answer;
  }

  /// Of one claim. What cannot be read must not keep the others from their handler.
  std::vector<message_type> decode(const result& rows) {
    std::vector<message_type> events;
    events.reserve(rows.size());
    for (const row each : rows) {
      const auto offset = each.get<std::int64_t>(0);
      const auto attempt = each.get<std::int32_t>(2);
      try {
        events.push_back({.offset = offset,
                          .batch = each.get<std::int64_t>(1),
                          .attempt = attempt,
                          .published_at = each.get<timestamp>(3),
                          .lease_until = each.get<timestamp>(4),
                          .payload = decode_payload<Contract>(each, 5)});
      } catch (const codec_error& error) {
        unreadable_.push_back({.id = offset, .attempt = attempt, .error = error.what()});
      }
    }
    if (events.size() < rows.size()) fail_unreadable(rows[0].get<std::int64_t>(1), rows.size() - events.size(), events);
    return events;
  }

  void fail_unreadable(std::int64_t batch, std::size_t count, std::vector<message_type>& others) {
    for (auto& each : std::span{unreadable_}.last(count)) each.outcome = fail(batch, each.id, each.error);
    if (others.empty()) return;
    const auto left = left_of(others.front());
    std::erase_if(others, [&](const auto& each) { return std::ranges::find(left, each.offset) == left.end(); });
  }

  nack_outcome fail(std::int64_t batch, std::int64_t offset, std::string_view error,
                    std::optional<std::chrono::microseconds> delay = {}) {
    const auto answer =
        on_->execute(Contract::nack, name_, batch, offset, kept_error(error), std::optional<interval>{delay});
    return outcome_of(answer.template value<std::string>());
  }

  static std::span<const message_type> first_claim(std::span<const message_type> events) {
    std::size_t count = 1;
    while (count < events.size() && events[count].batch == events.front().batch) ++count;
    return events.first(count);
  }

  connection* on_;
  std::string name_;
  session_kind session_;
  maintenance maintenance_;
  parameters values_;
  std::vector<unreadable_message> unreadable_;
};

}  // namespace quern
