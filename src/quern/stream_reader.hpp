#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <quern/event.hpp>
#include <quern/seal.hpp>
#include <vector>

namespace quern {

/// Reads a stream without leaving a trace: whoever reads keeps the offset. The connection must outlive the reader and
/// must not move. Reading needs READ COMMITTED (else SQLSTATE QN004).
///
///     for (const auto& each : reader.after(offset)) …  // up to the present end
template <stream_contract Contract>
class stream_reader {
 public:
  using event_type = event<typename Contract::payload_type>;

  /// Checks the contract with the database. Throws contract_mismatch, and as connection::execute().
  explicit stream_reader(connection& on) : on_{&on} { shake_hands<Contract>(on); }

  /// Up to `count` events after an offset; none when there are no more that are committed by now, or in a transaction,
  /// have an offset by now. Throws database_error QN022 when events behind the offset are not kept any more, QN021 when
  /// the next one is of a contract that this one cannot read.
  std::vector<event_type> read(std::int64_t after, std::int32_t count = 1000) {
    if (on_->is_in_transaction()) return ask(after, count);
    return ask_to_the_end<Contract>(*on_, [&] { return ask(after, count); });
  }

  class range;

  /// The events after an offset, read a page of so many at a time while they are gone through, until there are no more.
  range after(std::int64_t offset, std::int32_t page_size = 1000) { return range{*this, offset, page_size}; }

 private:
  std::vector<event_type> ask(std::int64_t after, std::int32_t count) {
    const result rows = on_->execute(Contract::read, after, count, !on_->is_in_transaction());
    std::vector<event_type> events;
    events.reserve(rows.size());
    for (const row each : rows) {
      const auto offset = each.get<std::int64_t>(0);
      events.push_back(
          {.offset = offset,
           .batch = 0,
           .published_at = each.get<timestamp>(1),
           .payload = naming_unreadable("event", offset, [&] { return decode_payload<Contract>(each, 2); })});
    }
    return events;
  }

  connection* on_;
};

/// An input range, to be gone through once; the reader must outlive it.
template <stream_contract Contract>
class stream_reader<Contract>::range {
 public:
  range(stream_reader& from, std::int64_t after, std::int32_t page_size)
      : from_{&from}, after_{after}, page_size_{page_size} {}

  class iterator {
   public:
    using value_type = event_type;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    explicit iterator(range& of) : of_{&of} {}

    const event_type& operator*() const { return of_->page_[of_->place_]; }
    const event_type* operator->() const { return &**this; }

    iterator& operator++() {
      of_->advance();
      return *this;
    }

    void operator++(int) { ++*this; }

    bool operator==(std::default_sentinel_t) const { return of_->page_.empty(); }

   private:
    range* of_ = nullptr;
  };

  iterator begin() {
    turn();
    return iterator{*this};
  }

  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    after_ = page_[place_].offset;
    if (++place_ == page_.size()) turn();
  }

  void turn() {
    page_ = from_->read(after_, page_size_);
    place_ = 0;
  }

  stream_reader* from_;
  std::int64_t after_;
  std::int32_t page_size_;
  std::vector<event_type> page_;
  std::size_t place_ = 0;
};

}  // namespace quern
