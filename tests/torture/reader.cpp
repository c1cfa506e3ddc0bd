// Reads on from an offset, in every way there is, and writes down what it is shown.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <quern/sqlstate.hpp>
#include <quern/stream_reader.hpp>
#include <quern/transaction.hpp>
#include <torture/activity.hpp>
#include <torture/brief.hpp>

#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

template <class Contract>
class reader {
 public:
  reader(player& me, quern::connection& db) : me_{&me}, db_{&db}, reads_{db} {}

  /// Returns the last offset that was shown, or the one it was asked for.
  std::int64_t read(std::int64_t after) {
    const std::int32_t count = me_->between(1, me_->chance(0.5) ? 20 : 1000);
    const std::int64_t seen = me_->chance(0.5)   ? read_by_library(after, count)
                              : me_->chance(0.5) ? read_in_transaction(after, count)
                                                 : read_as_text(after, count);
    me_->notes().flush();
    return seen;
  }

 private:
  std::int64_t read_by_library(std::int64_t after, std::int32_t count) {
    for (const auto& each : reads_.read(after, count)) {
      me_->notes().add(mark::shown, each.offset, each.payload.tx, each.payload.place);
      after = each.offset;
    }
    return after;
  }

  /// In one that is rolled back more often than not: what it was shown stays.
  std::int64_t read_in_transaction(std::int64_t after, std::int32_t count) {
    quern::transaction within{*db_};
    const std::int64_t seen = read_by_library(after, count);
    if (me_->chance(0.2)) me_->pause(milliseconds{me_->between(1, 200)});
    me_->chance(0.4) ? within.commit() : within.rollback();
    return seen;
  }

  /// With the simple protocol one call can be known to be the whole transaction, and shows what it has sealed itself.
  std::int64_t read_as_text(std::int64_t after, std::int32_t count) {
    const auto answers = db_->run_script(
        fmt::format("select event_offset, tx, place from torture.{}_read_v1({}, {})", Contract::queue, after, count));
    for (const quern::row each : answers.at(0)) {
      const auto text = [&](std::size_t column) { return std::string{each.text(column).value()}; };
      me_->notes().add(mark::shown, text(0), text(1), text(2));
      after = std::stoll(text(0));
    }
    return after;
  }

  player* me_;
  quern::connection* db_;
  quern::stream_reader<Contract> reads_;
};

template <class Contract>
std::int64_t first_place(player& me, quern::connection& db) {
  const auto ends =
      db.execute(fmt::format("select first_offset - 1, last_offset from torture.{}_stats()", Contract::queue));
  const auto first = ends.single_row().template get<std::int64_t>(0);
  const auto last = ends.single_row().template get<std::int64_t>(1);
  return me.incarnation() == 0 ? first : std::max(first, last - me.between(0, 5000));
}

template <class Contract>
void read(player& me) {
  std::optional<std::int64_t> after;
  keep_working(me, [&](quern::connection& db) {
    reader<Contract> mine{me, db};
    if (!after) after = first_place<Contract>(me, db);
    try {
      const std::int64_t seen = mine.read(*after);
      if (seen == *after || me.chance(0.1)) me.pause(milliseconds{me.between(1, 50)});
      // About as long as what nobody needs is kept.
      if (me.chance(0.01)) me.pause(milliseconds{me.between(1000, 3000)});
      after = seen;
    } catch (const quern::database_error& refused) {
      if (refused.sqlstate() != quern::sqlstate::events_not_kept) throw;
      me.notes().note(mark::gone, *after);
      after.reset();
    }
  });
}

}  // namespace

void read_activity(player& me) {
  read<activity_v1_contract>(me);
}

void read_brief(player& me) {
  read<brief_v1_contract>(me);
}

}  // namespace torture
