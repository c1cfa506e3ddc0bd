#include "stream_check.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "records.hpp"

namespace torture {
namespace {

struct event {
  std::int64_t tx = 0;  // 0: nobody was shown this offset
  std::int64_t place = 0;

  bool operator==(const event&) const = default;
};

class stream_checker {
 public:
  stream_checker(quern::connection& db, std::string stream, std::chrono::microseconds retention, report& into)
      : db_{&db}, stream_{std::move(stream)}, retention_{retention.count()}, into_{&into} {}

  void check(const std::filesystem::path& histories) {
    for_each_record(histories, stream_, [&](const std::string& file, const record& each) { take(file, each); });
    take_present();
    take_effects();
    check_offsets();
    check_transactions();
    check_committed();
    check_gone();
  }

 private:
  struct vanished {
    std::string file;
    micros at;
    std::int64_t after;
  };

  void take(const std::string& file, const record& from) {
    if (take_tx(txs_, from) || take_trouble(*into_, file, from)) return;
    if (from.what == mark::shown) {
      see(file, from.numbers[0], {from.numbers[1], from.numbers[2]});
      ++shown_;
    }
    if (from.what == mark::gone) gone_.push_back({file, from.at, from.numbers[0]});
  }

  void see(const std::string& file, std::int64_t offset, event seen) {
    if (offset < 1) return into_->violation("I2", "{}: {} was shown offset {}", stream_, file, offset);
    if (events_.size() < static_cast<std::size_t>(offset)) {
      events_.resize(static_cast<std::size_t>(offset));
      first_seen_by_.resize(events_.size());
    }
    event& known = events_[static_cast<std::size_t>(offset) - 1];
    if (known.tx == 0) {
      known = seen;
      first_seen_by_[static_cast<std::size_t>(offset) - 1] = number_of(file);
    } else if (known != seen) {
      into_->violation("I2", "{}: offset {} was event {} of transaction {} to {}, and event {} of {} to {}", stream_,
                       offset, known.place, known.tx, files_[first_seen_by_[static_cast<std::size_t>(offset) - 1]],
                       seen.place, seen.tx, file);
    }
  }

  std::uint16_t number_of(const std::string& file) {
    if (files_.empty() || files_.back() != file) files_.push_back(file);
    return static_cast<std::uint16_t>(files_.size() - 1);
  }

  /// What can be read now.
  void take_present() {
    const auto ends = db_->execute(fmt::format("select first_offset, last_offset from torture.{}_stats()", stream_));
    last_ = ends.single_row().get<std::int64_t>(1);
    for (std::int64_t after = ends.single_row().get<std::int64_t>(0) - 1; after < last_; after += 10'000) {
      const auto page = db_->execute(
          fmt::format("select event_offset, tx, place from torture.{}_read_v1($1, 10000)", stream_), after);
      std::int64_t expected = after;
      for (const quern::row each : page) {
        see("the end", each.get<std::int64_t>(0), {each.get<std::int64_t>(1), each.get<std::int32_t>(2)});
        if (each.get<std::int64_t>(0) != ++expected)
          return into_->violation("I2", "{}: {} is read where {} should be", stream_, each.get<std::int64_t>(0),
                                  expected);
      }
      if (expected != std::min(after + 10'000, last_))
        return into_->violation("I2", "{}: nothing is read after {} of {}", stream_, expected, last_);
    }
  }

  /// Of each consumer the offsets 1, 2, 3, … to the last, once each: as an effect or as a dead letter.
  void take_effects() {
    const auto names =
        db_->execute(fmt::format("select array_agg(consumer order by consumer) from torture.{}_consumer", stream_))
            .value<std::vector<std::string>>();
    for (const std::string& name : names) {
      const auto rows = db_->execute(
          fmt::format("select event_offset, tx, place from public.effect where stream = $1 and consumer = $2 union all "
                      "select event_offset, tx, place from torture.{}_failed where consumer = $2 order by 1",
                      stream_),
          stream_, name);
      std::int64_t expected = 1;
      for (const quern::row each : rows) {
        const auto offset = each.get<std::int64_t>(0);
        see("the effects of " + name, offset, {each.get<std::int64_t>(1), each.get<std::int32_t>(2)});
        if (offset < expected) into_->violation("I5", "{}: {} has handled {} more than once", stream_, name, offset);
        if (offset > expected)
          into_->violation("I1", "{}: {} was never given {} to {}", stream_, name, expected, offset - 1);
        expected = offset + 1;
      }
      if (expected <= last_) into_->violation("I1", "{}: {} was never given {} to {}", stream_, name, expected, last_);
      effects_ += rows.size();
    }
  }

  void check_offsets() {
    if (events_.size() != static_cast<std::size_t>(last_))
      into_->violation("I2", "{}: the last offset that was shown is {}, the last there is {}", stream_, events_.size(),
                       last_);
    for (std::size_t i = 0; i < events_.size(); ++i)
      if (events_[i].tx == 0) into_->violation("I2", "{}: nobody was ever shown {}", stream_, i + 1);
    into_->count(stream_ + ": events", events_.size());
    into_->count(stream_ + ": shown", shown_);
    into_->count(stream_ + ": effects", effects_);
  }

  /// Each transaction's events stand together, in their order, and all of them.
  void check_transactions() {
    std::int64_t latest = 0;  // of those before, the one that began last
    for (std::size_t i = 0; i < events_.size();) {
      const std::size_t first = i;
      const auto tx = events_[i].tx;
      for (; i < events_.size() && events_[i].tx == tx; ++i) {
        const auto place = static_cast<std::int64_t>(i - first);
        if (events_[i].place == -1)
          into_->violation("I1", "{}: {} is an event of transaction {} that was rolled back to a savepoint", stream_,
                           i + 1, tx);
        else if (events_[i].place != place)
          into_->violation("I3", "{}: {} is event {} of transaction {}, not {}", stream_, i + 1, events_[i].place, tx,
                           place);
      }
      if (tx == 0) continue;
      if (!seen_.insert(tx).second)
        into_->violation("I3", "{}: transaction {} stands in two places, again at {}", stream_, tx, first + 1);
      check_transaction(tx, first + 1, i - first, latest);
    }
  }

  void check_transaction(std::int64_t tx, std::size_t offset, std::size_t count, std::int64_t& latest) {
    const auto found = txs_.find(tx);
    if (found == txs_.end() || !found->second.may_be_seen())
      return into_->violation("I1", "{}: {} is of transaction {}, which {}", stream_, offset, tx, why_unseen(txs_, tx));
    const tx_facts& known = found->second;
    if (known.count != static_cast<std::int64_t>(count))
      into_->violation("I1", "{}: transaction {} at {} has {} events, not the {} that it published", stream_, tx,
                       offset, count, known.count);
    if (latest != 0 && known.committed != 0 && known.committed < txs_.at(latest).begun)
      into_->violation("I3", "{}: transaction {} at {} was committed {} us before {} began, which stands before it",
                       stream_, tx, offset, txs_.at(latest).begun - known.committed, latest);
    if (latest == 0 || known.begun > txs_.at(latest).begun) latest = tx;
  }

  void check_committed() {
    std::uint64_t unknown = 0;
    std::uint64_t unknown_seen = 0;
    for (const auto& [tx, known] : txs_) {
      if (known.committed != 0 && !seen_.contains(tx))
        into_->violation("I1", "{}: transaction {} of {} events was committed at {} and never seen", stream_, tx,
                         known.count, known.committed);
      if (known.is_unknown()) {
        ++unknown;
        unknown_seen += seen_.contains(tx) ? 1 : 0;
      }
      into_->count(stream_ + ": transactions committed", known.committed != 0 ? 1 : 0);
      into_->count(stream_ + ": transactions taken back", known.is_taken_back ? 1 : 0);
    }
    into_->count(stream_ + ": outcomes unknown", unknown);
    into_->count(stream_ + ": of these committed", unknown_seen);
  }

  void check_gone() {
    for (const auto& [file, at, after] : gone_) {
      if (after >= last_) {
        into_->violation("I6", "{}: {} was told that what is behind {} is gone: there is nothing", stream_, file,
                         after);
        continue;
      }
      // An event is sealed after its commit was asked for, and kept for the retention from there on.
      const auto found = txs_.find(events_[static_cast<std::size_t>(after)].tx);
      if (found != txs_.end() && at < found->second.intent + retention_)
        into_->violation("I6", "{}: {} could not read after {} at {}, {} us after it was published", stream_, file,
                         after, at, at - found->second.intent);
    }
    into_->count(stream_ + ": readers left behind by the retention", gone_.size());
  }

  quern::connection* db_;
  std::string stream_;
  micros retention_;
  report* into_;
  tx_map txs_;
  std::vector<event> events_;
  std::vector<std::uint16_t> first_seen_by_;
  std::vector<std::string> files_;
  std::unordered_set<std::int64_t> seen_;
  std::vector<vanished> gone_;
  std::int64_t last_ = 0;
  std::uint64_t shown_ = 0;
  std::uint64_t effects_ = 0;
};

}  // namespace

void check_stream(quern::connection& db, const std::filesystem::path& histories, const std::string& stream,
                  std::chrono::microseconds retention, report& into) {
  stream_checker{db, stream, retention, into}.check(histories);
}

}  // namespace torture
