#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/claim_token.hpp>
#include <quern/contract.hpp>
#include <quern/error.hpp>
#include <quern/failed_attempt.hpp>
#include <quern/maintenance.hpp>
#include <quern/message.hpp>
#include <quern/message_result.hpp>
#include <quern/pipeline.hpp>
#include <quern/sqlstate.hpp>
#include <quern/transaction.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern {

/// Gets messages out of a queue. Everything happens in the transaction that is open on the connection, or in one of its
/// own. The connection must outlive the consumer and must not move. Claims need READ COMMITTED (else SQLSTATE QN004).
///
/// `lease` is how long a message stays claimed; without it, as the declaration says. Every call that ends or extends a
/// claim says whether it was still the current one; on one that was not, it changes nothing.
template <contract Contract>
class consumer {
 public:
  using contract_type = Contract;
  using payload_type = typename Contract::payload_type;
  using message_type = message_of<Contract>;
  using lease = std::optional<std::chrono::microseconds>;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  explicit consumer(connection& on) : on_{&on} {
    shake_hands<Contract>(on);
    values_.use(on.enums());
  }

  /// Up to `count` messages; fewer or none when there are no more, and when some are unreadable().
  std::vector<message_type> claim(std::int32_t count = 1, lease length = {}) {
    maintain();
    put_claim(count, length);
    return decode_claimed(on_->execute_with(Contract::claim, values_));
  }

  /// What the last claim() or ack_and_claim() got and could not read. Each was a failed attempt, with the reason as its
  /// error: it comes back, or is dead.
  const std::vector<unreadable_message>& unreadable() const noexcept { return unreadable_; }

  /// Claims and finishes at once: committing the transaction is the ack, rolling it back gives the messages back.
  /// Throws codec_error for one that cannot be read, which says its id.
  std::vector<message_type> take(transaction& within, std::int32_t count = 1) {
    return decode_taken(within.execute(Contract::take, count));
  }

  /// The message is done. False: the claim was no longer the current one.
  bool ack(const message_type& done) {
    return on_->execute(Contract::ack, done.message_id, done.attempt).template value<bool>();
  }

  /// The messages are done. Returns the ids of those whose claim was no longer the current one.
  std::vector<std::int64_t> ack(std::span<const message_type> done) {
    if (done.empty()) return {};
    put_ack(done);
    return lost_of(on_->execute_with(ack_of(done), values_), done);
  }

  /// The message is done, with a result for whoever asks. Only of a queue that keeps handled messages.
  bool ack(const message_type& done, const json& result) requires contract_with_results<Contract> {
    const std::optional<json> only{result};
    return ack(std::span{&done, 1}, std::span{&only, 1}).empty();
  }

  /// The same of many, each with its own or none. Throws std::invalid_argument when there are not as many results.
  std::vector<std::int64_t> ack(std::span<const message_type> done,
                                std::span<const std::optional<json>> results) requires contract_with_results<Contract> {
    if (done.empty()) return {};
    put_ack(done, results);
    return on_->execute_with(Contract::ack_results, values_).template value<std::vector<std::int64_t>>();
  }

  struct claimed {
    std::vector<message_type> messages;
    std::vector<std::int64_t> lost;  // of those that were to be acknowledged
  };

  /// ack(done) and claim(count, length) in one round trip and one transaction.
  claimed ack_and_claim(std::span<const message_type> done, std::int32_t count, lease length = {}) {
    if (done.empty()) return {claim(count, length), {}};
    maintain();
    put_ack(done);
    auto [ended, messages] = send_with_claim(ack_of(done), count, length);
    return {std::move(messages), lost_of(ended, done)};
  }

  /// ack(done, results) and claim(count, length) in the same way.
  claimed ack_and_claim(std::span<const message_type> done, std::span<const std::optional<json>> results,
                        std::int32_t count, lease length = {}) requires contract_with_results<Contract> {
    if (done.empty()) return {claim(count, length), {}};
    maintain();
    put_ack(done, results);
    auto [ended, messages] = send_with_claim(Contract::ack_results, count, length);
    return {std::move(messages), ended.template value<std::vector<std::int64_t>>()};
  }

  /// The attempt failed. `error` is kept with the message, see kept_error().
  /// The message comes back after `delay`; without it, after what the declaration says.
  nack_outcome nack(const message_type& failed, std::string_view error = {},
                    std::optional<std::chrono::microseconds> delay = {}) {
    return fail(token_of(failed), error, delay);
  }

  /// Claims the message for longer: `length` from now, by the server's clock. Returns when that ends; nothing when the
  /// claim was no longer the current one.
  std::optional<timestamp> extend(const message_type& held, lease length = {}) {
    return extend_over(*on_, token_of(held), length);
  }

  /// Gives the message back at once, as if it had not been claimed: the attempt does not count against the retries.
  /// False: the claim was no longer the current one.
  bool release(const message_type& held) {
    return on_->execute(Contract::release, held.message_id, held.attempt).template value<bool>();
  }

  /// The same of all of them.
  void release(std::span<const message_type> held) {
    for (const message_type& each : held) release(each);
  }

  /// Claims the first for longer and notes that in it. False: it is lost.
  bool hold(std::span<message_type> held, lease length = {}) {
    const auto until = extend(held.front(), length);
    if (until) held.front().lease_until = *until;
    return until.has_value();
  }

  /// In how long the next delayed message is due.
  std::optional<interval> next_due() {
    return on_->execute(Contract::next_due).template value<std::optional<interval>>();
  }

  /// Whether there is a message that waits for nothing but room within the limits of the queue. Not to be asked in a
  /// transaction. False also where the limits have been taken away since, or this role may not know them.
  bool is_held_back() requires contract_with_limits<Contract> {
    try {
      return on_->execute(Contract::held_back).template value<bool>();
    } catch (const database_error& refused) {
      const std::string& is = refused.sqlstate();
      if (is == sqlstate::undefined_function || is == sqlstate::insufficient_privilege) return false;
      throw;
    }
  }

  static std::int64_t id_of(const message_type& message) { return message.message_id; }

  static claim_token token_of(const message_type& message) { return {message.message_id, message.attempt}; }

  /// extend() over another connection, from any thread.
  std::optional<timestamp> extend_over(connection& other, const claim_token& held, lease length = {}) const {
    return other.execute(Contract::extend, held.id, held.attempt, std::optional<interval>{length})
        .template value<std::optional<timestamp>>();
  }

  /// The same consumer on another connection.
  consumer another(connection& other) const { return consumer{other}; }

  /// After connection::reopen(): checks the contract again, as the constructor does.
  void start_over() { shake_hands<Contract>(*on_); }

  static constexpr std::string_view name() noexcept { return {}; }

  connection& on() const noexcept { return *on_; }

 private:
  static constexpr std::size_t claim_parameters = 2;
  // Of a log or an archive, clears away what is done. An archive may have been taken away while the program runs.
  void maintain() {
    if constexpr (requires { Contract::maintain; }) {
      if (on_->is_in_transaction()) return;
      try {
        maintenance_.when_due<Contract>(*on_);
      } catch (const database_error& refused) {
        if (!contract_with_results<Contract> || refused.sqlstate() != sqlstate::undefined_function) throw;
      }
    }
  }

  nack_outcome fail(const claim_token& failed, std::string_view error,
                    std::optional<std::chrono::microseconds> delay = {}) {
    const auto answer =
        on_->execute(Contract::nack, failed.id, failed.attempt, kept_error(error), std::optional<interval>{delay});
    return outcome_of(answer.template value<std::string>());
  }

  /// One that cannot be read must not keep the others from their handler.
  std::vector<message_type> decode_claimed(const result& rows) {
    unreadable_.clear();
    std::vector<message_type> messages;
    messages.reserve(rows.size());
    for (const row each : rows) {
      message_type& next = messages.emplace_back(decode_claim(each, each.get<timestamp>(3)));
      try {
        decode_contents(each, 4, next);
      } catch (const codec_error& error) {
        unreadable_.push_back({.id = next.message_id, .attempt = next.attempt, .error = error.what()});
        messages.pop_back();
      }
    }
    for (auto& each : unreadable_) each.outcome = fail({each.id, each.attempt}, each.error);
    return messages;
  }

  static std::vector<message_type> decode_taken(const result& rows) {
    std::vector<message_type> messages;
    messages.reserve(rows.size());
    for (const row each : rows) {
      message_type& next = messages.emplace_back(decode_claim(each, timestamp::max()));
      naming_unreadable("message", next.message_id, [&] { decode_contents(each, 3, next); });
    }
    return messages;
  }

  static message_type decode_claim(const row& from, timestamp lease_until) {
    message_type result;
    result.message_id = from.get<std::int64_t>(0);
    result.attempt = from.get<std::int32_t>(1);
    result.enqueued_at = from.get<timestamp>(2);
    result.lease_until = lease_until;
    return result;
  }

  /// The rest of the columns from `next` on.
  static void decode_contents(const row& from, std::size_t next, message_type& into) {
    if constexpr (contract_with_priorities<Contract>) into.priority = from.get<std::int16_t>(next++);
    if constexpr (contract_with_headers<Contract>) into.headers = from.get<std::optional<json>>(next++);
    into.payload = decode_payload<Contract>(from, next);
  }

  void put_claim(std::int32_t count, const lease& length) {
    values_.clear();
    add_claim(count, length);
  }

  void add_claim(std::int32_t count, const lease& length) {
    values_.add(count);
    values_.add(std::optional<interval>{length});
  }

  /// What acknowledges is in the values.
  std::pair<result, std::vector<message_type>> send_with_claim(const prepared& ack, std::int32_t count,
                                                               const lease& length) {
    const std::size_t ack_parameters = values_.size();
    add_claim(count, length);
    pipeline::prepare(*on_, ack, values_, 0, ack_parameters);
    pipeline::prepare(*on_, Contract::claim, values_, ack_parameters, claim_parameters);
    result ended;
    result messages;
    {
      pipeline both{*on_};
      both.add(ack, values_, 0, ack_parameters);
      both.add(Contract::claim, values_, ack_parameters, claim_parameters);
      both.sync();
      ended = both.next();
      messages = both.next();
      both.finish();
    }
    return {std::move(ended), decode_claimed(messages)};
  }

  /// Of one alone there is a function that costs the server half as much.
  static const prepared& ack_of(std::span<const message_type> done) {
    return done.size() == 1 ? Contract::ack : Contract::ack_many;
  }

  static std::vector<std::int64_t> lost_of(const result& ended, std::span<const message_type> done) {
    if (done.size() != 1) return ended.template value<std::vector<std::int64_t>>();
    if (ended.template value<bool>()) return {};
    return {done.front().message_id};
  }

  void put_ack(std::span<const message_type> done, std::span<const std::optional<json>> results) {
    if (results.size() != done.size())
      throw std::invalid_argument{"quern::consumer: there must be a result, or none, of each message"};
    put_many(done);
    values_.add(std::vector<std::optional<json>>{results.begin(), results.end()});
  }

  void put_ack(std::span<const message_type> done) {
    if (done.size() != 1) return put_many(done);
    values_.clear();
    values_.add(done.front().message_id);
    values_.add(done.front().attempt);
  }

  void put_many(std::span<const message_type> done) {
    ids_.clear();
    attempts_.clear();
    for (const message_type& each : done) {
      ids_.push_back(each.message_id);
      attempts_.push_back(each.attempt);
    }
    values_.clear();
    values_.add(ids_);
    values_.add(attempts_);
  }

  connection* on_;
  parameters values_;
  std::vector<std::int64_t> ids_;
  std::vector<std::int32_t> attempts_;
  std::vector<unreadable_message> unreadable_;
  maintenance maintenance_;
};

}  // namespace quern
