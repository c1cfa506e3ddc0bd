// Publishes in every way there is, in transactions that commit late, are rolled back, or have parts that are.

#include <fmt/format.h>

#include <quern/transaction.hpp>
#include <torture/activity.hpp>
#include <torture/brief.hpp>
#include <vector>

#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

template <class Contract>
class publisher {
 public:
  publisher(player& me, quern::connection& db, bool is_straggler)
      : me_{&me}, db_{&db}, producer_{db}, is_straggler_{is_straggler} {}

  /// One transaction.
  void step() {
    tx_ = me_->next_tx();
    place_ = 0;
    me_->notes().note(mark::begun, tx_);
    try {
      me_->chance(is_straggler_ ? 0.05 : 0.6) ? publish_alone() : publish_in_transaction();
    } catch (const quern::error& failed) {
      if (!failed.outcome_unknown()) me_->notes().note(mark::taken_back, tx_);
      throw;
    }
  }

 private:
  using payload = typename Contract::payload_type;

  payload next() { return {.tx = tx_, .place = place_++}; }

  std::vector<payload> some(int count) {
    std::vector<payload> made;
    for (int i = 0; i < count; ++i) made.push_back(next());
    return made;
  }

  void about_to_commit() { me_->notes().note(mark::intent, tx_, place_); }

  /// Calls that are transactions by themselves.
  void publish_alone() {
    const auto payloads = some(me_->chance(0.6) ? 1 : me_->between(2, 50));
    about_to_commit();
    if (payloads.size() == 1)
      producer_.publish(payloads.front());
    else if (me_->chance(0.5))
      producer_.publish(payloads);
    else
      producer_.publish_all(payloads);
    me_->notes().note(mark::committed, tx_);
  }

  void publish_in_transaction() {
    quern::transaction all{*db_};
    const int parts = me_->between(1, 4);
    for (int i = 0; i < parts; ++i) {
      publish_part();
      if (me_->chance(0.3)) publish_for_nothing();
      if (me_->chance(0.1)) db_->execute(Contract::seal);
      if (me_->chance(0.1)) read_at_end();
      if (is_straggler_ && i == 0)
        me_->pause(milliseconds{me_->chance(0.5) ? me_->between(2500, 5000) : me_->between(50, 600)});
    }
    if (me_->chance(0.2)) {
      all.rollback();
      me_->notes().note(mark::taken_back, tx_);
      return;
    }
    about_to_commit();
    all.commit();
    me_->notes().note(mark::committed, tx_);
  }

  /// Which seals, in a transaction that has published, goes on to do so, and may be rolled back.
  void read_at_end() {
    db_->execute(fmt::format("select count(*) from torture.{0}_stats() as s, torture.{0}_read_v1(s.last_offset, 1)",
                             Contract::queue));
  }

  void publish_part() {
    switch (me_->between(0, 4)) {
      case 0:
        producer_.publish(some(me_->between(2, 20)));
        break;
      case 1:
        producer_.publish_all(some(me_->between(1, me_->chance(0.02) ? 2500 : 30)));
        break;
      case 2:
        publish_many(me_->between(1, 10));
        break;
      case 3:
        // A part that stays has an id of its own, and its events have the one of the whole.
        db_->execute("savepoint part");
        producer_.publish(next());
        db_->execute("release savepoint part");
        break;
      default:
        producer_.publish(next());
    }
  }

  void publish_many(int count) {
    std::vector<std::int64_t> txs;
    std::vector<std::int32_t> places;
    for (int i = 0; i < count; ++i) {
      txs.push_back(tx_);
      places.push_back(place_++);
    }
    db_->execute(fmt::format("select torture.{}_publish_many_v1($1, $2, array_fill(null::text, array[$3::int]))",
                             Contract::queue),
                 txs, places, count);
  }

  void publish_for_nothing() {
    db_->execute("savepoint nothing");
    for (int i = me_->between(1, 3); i > 0; --i) producer_.publish({.tx = tx_, .place = -1});
    db_->execute("rollback to savepoint nothing");
  }

  player* me_;
  quern::connection* db_;
  quern::stream_producer<Contract> producer_;
  bool is_straggler_;
  std::int64_t tx_ = 0;
  std::int32_t place_ = 0;
};

template <class Contract>
void publish(player& me, bool is_straggler) {
  keep_working(me, [&](quern::connection& db) {
    publisher<Contract> mine{me, db, is_straggler};
    while (!me.is_over()) {
      mine.step();
      // Segments that it has published to may be old by now, and nobody may have given its events their offsets.
      if (is_straggler) db.execute(Contract::maintain);
      me.pause(milliseconds{me.between(0, me.chance(0.2) ? 100 : 15)});
    }
  });
}

}  // namespace

void publish_activity(player& me) {
  publish<activity_v1_contract>(me, false);
}

void publish_brief(player& me) {
  publish<brief_v1_contract>(me, false);
}

void straggle_activity(player& me) {
  publish<activity_v1_contract>(me, true);
}

void straggle_brief(player& me) {
  publish<brief_v1_contract>(me, true);
}

}  // namespace torture
