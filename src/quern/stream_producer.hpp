#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <quern/copy_in.hpp>
#include <quern/parameters.hpp>
#include <quern/pipeline.hpp>
#include <quern/transaction.hpp>
#include <ranges>

namespace quern {

/// Publishes events. Everything happens in the transaction that is open on the connection, or in one of its own; events
/// get their offsets after its commit. The connection must outlive the producer and must not move.
///
/// A payload that PostgreSQL cannot hold is a codec_error before anything is sent; one that the declaration refuses is
/// a database_error (23514 with the constraint's name, 22…).
template <stream_contract Contract>
class stream_producer {
 public:
  using payload_type = typename Contract::payload_type;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  explicit stream_producer(connection& on) : on_{&on} {
    shake_hands<Contract>(on);
    values_.use(on.enums());
  }

  void publish(const payload_type& payload) {
    values_.clear();
    add(payload);
    on_->execute_with(Contract::publish, values_);
  }

  /// Publishes all payloads or none, in their order and in one round trip, and returns their number. All are held
  /// encoded in memory until they are sent: for more than some ten thousand see publish_all().
  template <std::ranges::input_range Range>
  requires std::convertible_to < std::ranges::range_reference_t<Range>,

  const payload_type& > std::uint64_t publish(Range&& payloads) {
    values_.clear();
    for (const payload_type& payload : payloads) add(payload);
    const std::size_t count = values_.size() / parameter_count;
    if (count == 0) return 0;
    pipeline::prepare(*on_, Contract::publish, values_, 0, parameter_count);
    pipeline batch{*on_};
    for (std::size_t i = 0; i < count; ++i) batch.add(Contract::publish, values_, i * parameter_count, parameter_count);
    batch.sync();
    for (std::size_t i = 0; i < count; ++i) batch.next();
    batch.finish();
    return count;
  }

  /// Publishes a range of any length by COPY, all or none, in bounded memory, and returns their number. The range must
  /// not use the connection. When it fails inside of a caller's transaction, that transaction has failed.
  template <std::ranges::input_range Range>
  requires std::convertible_to < std::ranges::range_reference_t<Range>,

  const payload_type& > std::uint64_t publish_all(Range&& payloads) {
    std::optional<transaction> own;
    if (!on_->is_in_transaction()) own.emplace(*on_);
    const std::uint64_t count = copy(payloads);
    if (count != 0) on_->execute(Contract::wake);
    if (own) own->commit();
    return count;
  }

 private:
  static constexpr std::size_t parameter_count = field_count<Contract>();

  void add(const payload_type& payload) {
    for_each_field<Contract>(payload, [&](const auto& field) { values_.add(field); });
  }

  template <class Range>
  std::uint64_t copy(Range& payloads) {
    copy_in bulk{*on_, Contract::copy};
    for (const payload_type& payload : payloads) {
      bulk.begin_row(1 + field_count<Contract>());
      bulk.add_field(static_cast<std::int16_t>(Contract::version));
      for_each_field<Contract>(payload, [&](const auto& field) { bulk.add_field(field); });
      bulk.end_row();
    }
    return bulk.finish();
  }

  connection* on_;
  parameters values_;
};

}  // namespace quern
