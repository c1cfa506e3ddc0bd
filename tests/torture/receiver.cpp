// Consumers of a stream that write an effect of each event in the transaction that acknowledges it. Of some there are
// two at once, who disturb each other.

#include <fmt/format.h>

#include <quern/stream_consumer.hpp>
#include <quern/transaction.hpp>
#include <torture/activity.hpp>
#include <torture/brief.hpp>
#include <vector>

#include "effects.hpp"
#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

template <class Contract>
class receiver {
 public:
  receiver(player& me, quern::connection& db, const std::string& name) : me_{&me}, db_{&db}, from_{db, name} {}

  /// Returns whether there was something.
  bool step() {
    const std::int32_t count = me_->between(1, me_->chance(0.5) ? 20 : 1000);
    return me_->chance(0.5) ? handle_in_one(count) : handle_apart(count);
  }

 private:
  using event = typename quern::stream_consumer<Contract>::event_type;

  bool handle_in_one(std::int32_t count) {
    from_.seal();
    quern::transaction within{*db_};
    const auto events = from_.receive(within, count);
    note(events);
    finish(within, events);
    return !events.empty();
  }

  /// Between receiving and acknowledging others may have done so.
  bool handle_apart(std::int32_t count) {
    const auto events = from_.receive(count);
    note(events);
    // Now and then for longer than what is acknowledged is kept.
    if (me_->chance(0.02)) me_->pause(milliseconds{me_->between(100, me_->chance(0.5) ? 500 : 7000)});
    quern::transaction within{*db_};
    finish(within, events);
    return !events.empty();
  }

  void finish(quern::transaction& within, std::vector<event> events) {
    if (events.empty()) return;
    // Only some of them are done; the others come again.
    if (me_->chance(0.3)) events.resize(static_cast<std::size_t>(me_->between(1, static_cast<int>(events.size()))));
    write_effects(*db_, Contract::queue, from_.name(), events);
    if (me_->chance(0.1)) return;
    if (from_.ack(events)) within.commit();
  }

  void note(const std::vector<event>& events) {
    for (const event& each : events) me_->notes().add(mark::shown, each.offset, each.payload.tx, each.payload.place);
    me_->notes().flush();
  }

  player* me_;
  quern::connection* db_;
  quern::stream_consumer<Contract> from_;
};

template <class Contract>
void receive(player& me, const std::string& name) {
  keep_working(me, [&](quern::connection& db) {
    receiver<Contract> mine{me, db, name};
    while (!me.is_over())
      if (!mine.step() || me.chance(0.1)) me.pause(milliseconds{me.between(1, 40)});
  });
}

}  // namespace

void receive_activity_as_audit(player& me) {
  receive<activity_v1_contract>(me, "audit");
}

void receive_activity_as_mirror(player& me) {
  receive<activity_v1_contract>(me, "mirror");
}

void receive_activity_as_late(player& me) {
  if (me.incarnation() == 0) me.pause(std::chrono::seconds{3});
  keep_working(me, [&](quern::connection& db) {
    db.execute("select torture.activity_subscribe('late', 'start')");
    receive<activity_v1_contract>(me, "late");
  });
}

void receive_brief_as_audit(player& me) {
  receive<brief_v1_contract>(me, "audit");
}

void receive_brief_as_mirror(player& me) {
  receive<brief_v1_contract>(me, "mirror");
}

}  // namespace torture
