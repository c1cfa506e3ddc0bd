#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <quern/contract.hpp>
#include <quern/copy_in.hpp>
#include <quern/json.hpp>
#include <quern/message_result.hpp>
#include <quern/pipeline.hpp>
#include <quern/time.hpp>
#include <quern/transaction.hpp>
#include <ranges>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

namespace quern {

/// What became of a message of a queue in which there is one of those that are the same (`unique` in the declaration).
struct enqueued {
  /// Of the message, or, of a duplicate, of the one that it is the same as.
  std::int64_t message_id = 0;
  /// It was not enqueued, because another one is the same.
  bool is_duplicate = false;

  bool operator==(const enqueued&) const = default;
};

struct enqueue_options {
  /// The message can be claimed after so much time; 0: at once.
  std::chrono::microseconds delay{0};
};

/// Of a queue with priorities.
struct prioritised_enqueue_options {
  std::chrono::microseconds delay{0};
  /// 0 is handed out first. What the contract does not know is a database_error (QN005), in bulk 23514.
  std::int32_t priority = 0;
};

struct prioritised_bulk_options {
  std::int32_t priority = 0;
};

/// Of a queue with headers.
struct enqueue_options_with_headers {
  std::chrono::microseconds delay{0};
  /// A JSON object of 8192 bytes at most, the same for all that are enqueued in one call; else a database_error
  /// (QN005), in bulk 23514.
  std::optional<json> headers{};
};

struct bulk_options_with_headers {
  std::optional<json> headers{};
};

/// Of a queue with both.
struct prioritised_enqueue_options_with_headers {
  std::chrono::microseconds delay{0};
  std::int32_t priority = 0;
  std::optional<json> headers{};
};

struct prioritised_bulk_options_with_headers {
  std::int32_t priority = 0;
  std::optional<json> headers{};
};

namespace detail {

struct bulk_options {};

template <contract Contract>
auto enqueue_options_kind() {
  if constexpr (contract_with_priorities<Contract> && contract_with_headers<Contract>) {
    return prioritised_enqueue_options_with_headers{};
  } else if constexpr (contract_with_priorities<Contract>) {
    return prioritised_enqueue_options{};
  } else if constexpr (contract_with_headers<Contract>) {
    return enqueue_options_with_headers{};
  } else {
    return enqueue_options{};
  }
}

template <contract Contract>
auto bulk_options_kind() {
  if constexpr (contract_with_priorities<Contract> && contract_with_headers<Contract>) {
    return prioritised_bulk_options_with_headers{};
  } else if constexpr (contract_with_priorities<Contract>) {
    return prioritised_bulk_options{};
  } else if constexpr (contract_with_headers<Contract>) {
    return bulk_options_with_headers{};
  } else {
    return bulk_options{};
  }
}

}  // namespace detail

/// Puts messages into a queue. Everything happens in the transaction that is open on the connection, or in one of its
/// own. The connection must outlive the producer and must not move.
///
/// A payload that PostgreSQL cannot hold is a codec_error before anything is sent; one that the declaration refuses is
/// a database_error (23514 with the constraint's name, 22…).
///
/// Where messages are unique, a call waits for another transaction that is enqueueing the same message, or ending it.
/// Two transactions that wait for each other are a deadlock, which a database_error tells one of them (40P01,
/// is_retryable()).
template <contract Contract>
class producer {
  static constexpr bool has_priorities = contract_with_priorities<Contract>;
  static constexpr bool has_headers = contract_with_headers<Contract>;

 public:
  using payload_type = typename Contract::payload_type;
  using options_type = decltype(detail::enqueue_options_kind<Contract>());
  using bulk_options_type = decltype(detail::bulk_options_kind<Contract>());
  /// What is said of one message: its id, or, by contracts that report duplicates, what became of it.
  using outcome = std::conditional_t<contract_with_duplicates<Contract>, enqueued, std::int64_t>;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  explicit producer(connection& on) : on_{&on} {
    shake_hands<Contract>(on);
    values_.use(on.enums());
  }

  /// Returns the message's id, or what became of it.
  outcome enqueue(const payload_type& payload, const options_type& options = {}) {
    values_.clear();
    add(payload, options);
    return outcome_of(on_->execute_with(Contract::enqueue, values_));
  }

  /// Enqueues all payloads or none, in one round trip, and returns their ids, or what became of them, in the same
  /// order: one that is the same as another in the range is a duplicate of that. All are held encoded in memory until
  /// they are sent: for more than some ten thousand see enqueue_all().
  template <std::ranges::input_range Range>
  requires std::convertible_to < std::ranges::range_reference_t<Range>,

  const payload_type& > std::vector<outcome> enqueue(Range&& payloads, const options_type& options = {}) {
    values_.clear();
    for (const payload_type& payload : payloads) add(payload, options);
    return send_batch();
  }

  /// Enqueues a range of any length by COPY, all or none, in bounded memory, and returns how many messages that made:
  /// where they are unique, those that are the same as another one are left out. The range must not use the connection.
  /// When it fails inside of a caller's transaction, that transaction has failed.
  template <std::ranges::input_range Range>
  requires std::convertible_to < std::ranges::range_reference_t<Range>,

  const payload_type& > std::uint64_t enqueue_all(Range&& payloads) { return send_all(payloads, {}); }

  /// The same of a queue with priorities or headers.
  template <std::ranges::input_range Range>
  requires std::convertible_to < std::ranges::range_reference_t<Range>,

  const payload_type& > &&(has_priorities || has_headers) std::uint64_t
                        enqueue_all(Range&& payloads, const bulk_options_type& options) {
    return send_all(payloads, options);
  }

  /// Takes a message back that waits, for its time or another attempt too; false when it is being handled, has ended or
  /// was never there. Of a queue with a log, database_error QN010 for one that was never tried.
  bool cancel(std::int64_t message_id) { return on_->execute(Contract::cancel, message_id).template value<bool>(); }

  /// What has become of a message. Only of a queue that keeps handled messages (`keep_done` in the declaration).
  message_result result(std::int64_t message_id) requires contract_with_results<Contract> {
    return look_for_result(*on_, result_statements_of<Contract>, message_id);
  }

  /// Waits until the message has ended, and returns at once with what became of it; still `pending` when the time is
  /// over or a stop was requested. Takes whatever notifications the connection has meanwhile. Throws std::logic_error
  /// when the connection is in a transaction; otherwise as connection::execute().
  message_result await_result(std::int64_t message_id, std::chrono::milliseconds timeout,
                              const std::stop_token& stop = {}) requires contract_with_results<Contract> {
    return wait_for_result(*on_, result_statements_of<Contract>, message_id, deadline_after(timeout), stop);
  }

 private:
  static constexpr std::size_t parameter_count =
      field_count<Contract>() + 1 + (has_priorities ? 1 : 0) + (has_headers ? 1 : 0);
  static constexpr std::size_t copied_columns = parameter_count;

  void add(const payload_type& payload, const options_type& options) {
    for_each_field<Contract>(payload, [&](const auto& field) { values_.add(field); });
    values_.add(options.delay.count() == 0 ? std::nullopt : std::optional<interval>{options.delay});
    if constexpr (has_priorities) values_.add(options.priority);
    if constexpr (has_headers) values_.add(options.headers);
  }

  static outcome outcome_of(const quern::result& answer) {
    const row only = answer.single_row();
    if constexpr (contract_with_duplicates<Contract>) {
      return {only.get<std::int64_t>(0), only.get<bool>(1)};
    } else {
      return only.get<std::int64_t>(0);
    }
  }

  std::vector<outcome> send_batch() {
    std::vector<outcome> made(values_.size() / parameter_count);
    if (made.empty()) return made;
    pipeline::prepare(*on_, Contract::enqueue, values_, 0, parameter_count);
    pipeline batch{*on_};
    for (std::size_t i = 0; i < made.size(); ++i)
      batch.add(Contract::enqueue, values_, i * parameter_count, parameter_count);
    batch.sync();
    for (outcome& each : made) each = outcome_of(batch.next());
    batch.finish();
    return made;
  }

  template <class Range>
  std::uint64_t send_all(Range& payloads, const bulk_options_type& options) {
    std::optional<transaction> own;
    if (!on_->is_in_transaction()) own.emplace(*on_);
    const std::uint64_t count = copy(payloads, options);
    if (count != 0) on_->execute(Contract::wake);
    if (own) own->commit();
    return count;
  }

  /// A priority that is beyond the column's type is one that the database refuses.
  static std::int16_t stored(std::int32_t priority) {
    using limits = std::numeric_limits<std::int16_t>;
    return static_cast<std::int16_t>(std::clamp<std::int32_t>(priority, limits::min(), limits::max()));
  }

  template <class Range>
  std::uint64_t copy(Range& payloads, [[maybe_unused]] const bulk_options_type& options) {
    copy_in bulk{*on_, Contract::copy};
    for (const payload_type& payload : payloads) {
      bulk.begin_row(copied_columns);
      bulk.add_field(static_cast<std::int16_t>(Contract::version));
      if constexpr (has_priorities) bulk.add_field(stored(options.priority));
      if constexpr (has_headers) bulk.add_field(options.headers);
      for_each_field<Contract>(payload, [&](const auto& field) { bulk.add_field(field); });
      bulk.end_row();
    }
    return bulk.finish();
  }

  connection* on_;
  parameters values_;
};

}  // namespace quern
