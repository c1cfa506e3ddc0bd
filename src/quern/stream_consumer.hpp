#pragma once

#include <chrono>
#include <cstdint>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <quern/event.hpp>
#include <quern/look_on.hpp>
#include <quern/maintenance.hpp>
#include <quern/seal.hpp>
#include <quern/transaction.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace quern {

/// A consumer of a stream, which the database remembers by its name: declared, or made with `<stream>_subscribe`. It
/// sees every event, or those that its filter lets through, and the same ones again until they are acknowledged. The
/// connection must outlive it and must not move. Receiving needs READ COMMITTED (else SQLSTATE QN004).
template <stream_contract Contract>
class stream_consumer {
 public:
  using event_type = event<typename Contract::payload_type>;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  stream_consumer(connection& on, std::string name) : on_{&on}, name_{std::move(name)} { shake_hands<Contract>(on); }

  /// The next events, up to `count`; none when all that is committed by now is acknowledged. Throws
  /// std::logic_error in a transaction, database_error QN023 when the stream has no consumer of that name, QN021 when
  /// the next event is of a contract that this one cannot read.
  std::vector<event_type> receive(std::int32_t count = 100) {
    if (on_->is_in_transaction())
      throw std::logic_error{"quern::stream_consumer: give the transaction to receive() inside of one"};
    maintenance_.when_due<Contract>(*on_);
    const auto ask_once = [&] { return decode(on_->execute(Contract::receive, name_, count, true)); };
    return look_on<Contract>(
        *on_, name_, [&] { return ask_to_the_end<Contract>(*on_, ask_once); },
        std::chrono::steady_clock::duration::max());
  }

  /// The same in the transaction that will acknowledge them: effects that are written there happen exactly once. Gives
  /// what has an offset by now: seal() before the transaction begins, so that this is all. With a filter it looks at
  /// some thousands of events; where they give none it has moved on behind them.
  std::vector<event_type> receive(transaction& within, std::int32_t count = 100) {
    return decode(within.execute(Contract::receive, name_, count, false));
  }

  /// Gives what is committed by now its offsets. To be called outside of a transaction.
  void seal() { seal_events<Contract>(*on_); }

  /// The event and all before it are done. False: another one has acknowledged meanwhile, or the consumer was moved;
  /// nothing is changed then. In a transaction, take that back.
  bool ack(const event_type& last) {
    return on_->execute(Contract::ack, name_, last.batch, last.offset).template value<std::int64_t>() != 0;
  }

  /// All of them are done, in the order in which they were received; true when there are none.
  bool ack(std::span<const event_type> done) { return done.empty() || ack(done.back()); }

  /// The consumer goes on after this offset; what it holds is stale. Throws database_error QN005 when there is no such
  /// offset, QN022 when events behind it are not kept any more.
  void seek(std::int64_t after) { on_->execute(Contract::seek, name_, after); }

  const std::string& name() const noexcept { return name_; }

  connection& on() const noexcept { return *on_; }

 private:
  static std::vector<event_type> decode(const result& rows) {
    std::vector<event_type> events;
    events.reserve(rows.size());
    for (const row each : rows) {
      const auto offset = each.get<std::int64_t>(0);
      events.push_back(
          {.offset = offset,
           .batch = each.get<std::int64_t>(1),
           .published_at = each.get<timestamp>(2),
           .payload = naming_unreadable("event", offset, [&] { return decode_payload<Contract>(each, 3); })});
    }
    return events;
  }

  connection* on_;
  std::string name_;
  maintenance maintenance_;
};

}  // namespace quern
