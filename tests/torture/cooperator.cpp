// One of the workers that share the cursor of a consumer of a stream. It writes an effect of each event in the
// transaction that acknowledges it; some events fail alone, some claims are given up, and acknowledged much later.

#include <deque>
#include <quern/cooperative_consumer.hpp>
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
class cooperator {
 public:
  cooperator(player& me, quern::connection& db)
      : me_{&me},
        db_{&db},
        from_{db, "crew", me.chance(0.5) ? quern::session_kind::own : quern::session_kind::pooled} {}

  void step() {
    if (me_->chance(0.1)) return handle_in_one();
    auto events = from_.claim(me_->between(1, 200), milliseconds{me_->between(200, 1500)});
    note(events);
    if (events.empty()) return me_->pause(milliseconds{me_->between(1, 40)});
    handle(std::move(events));
    if (!forgotten_.empty() && me_->chance(0.3)) acknowledge_forgotten();
  }

 private:
  using consumer = quern::cooperative_consumer<Contract>;
  using event = typename consumer::message_type;

  void note(const std::vector<event>& events) {
    for (const event& each : events) me_->notes().add(mark::shown, each.offset, each.payload.tx, each.payload.place);
    me_->notes().flush();
  }

  /// Claims and acknowledges in one transaction.
  void handle_in_one() {
    from_.claim(1, milliseconds{1});
    quern::transaction within{*db_};
    const auto events = from_.claim(within, me_->between(1, 100));
    note(events);
    finish(within, events);
  }

  void handle(std::vector<event> events) {
    if (me_->chance(0.05)) me_->pause(milliseconds{me_->between(50, 2000)});
    switch (me_->between(0, 9)) {
      case 0:
        from_.release(events.front());
        return;
      case 1:
        forgotten_.push_back(std::move(events));
        if (forgotten_.size() > 20) forgotten_.pop_front();
        return;
      case 2:
        if (!from_.hold(events, milliseconds{me_->between(200, 1500)})) return;
        me_->pause(milliseconds{me_->between(0, 200)});
        acknowledge(events);
        return;
      case 3:
      case 4:
        fail_some(events);
        acknowledge(events);
        return;
      case 5:
        acknowledge_in_parts(std::move(events));
        return;
      default:
        acknowledge(events);
    }
  }

  /// Takes the failed ones out.
  void fail_some(std::vector<event>& events) {
    for (int i = me_->between(1, 3); i > 0 && !events.empty(); --i) {
      const auto which = events.begin() + me_->between(0, static_cast<int>(events.size()) - 1);
      from_.nack(*which, "a reason");
      events.erase(which);
    }
  }

  void acknowledge_in_parts(std::vector<event> events) {
    const auto middle = events.begin() + me_->between(1, static_cast<int>(events.size()));
    // What is acknowledged later includes what stands before it: that has to be done.
    if (!acknowledge({events.begin(), middle})) return;
    if (middle != events.end() && me_->chance(0.7)) acknowledge({middle, events.end()});
  }

  bool acknowledge(const std::vector<event>& events) {
    quern::transaction within{*db_};
    return finish(within, events);
  }

  void acknowledge_forgotten() {
    const auto events = std::move(forgotten_.front());
    forgotten_.pop_front();
    acknowledge(events);
  }

  /// Whether they are done.
  bool finish(quern::transaction& within, const std::vector<event>& events) {
    if (events.empty()) return false;
    write_effects(*db_, Contract::queue, from_.name(), events);
    if (me_->chance(0.1) || !from_.ack(events).empty()) return false;
    within.commit();
    return true;
  }

  player* me_;
  quern::connection* db_;
  consumer from_;
  std::deque<std::vector<event>> forgotten_;
};

template <class Contract>
void cooperate(player& me) {
  keep_working(me, [&](quern::connection& db) {
    cooperator<Contract> mine{me, db};
    while (!me.is_over()) mine.step();
  });
}

}  // namespace

void cooperate_on_activity(player& me) {
  cooperate<activity_v1_contract>(me);
}

void cooperate_on_brief(player& me) {
  cooperate<brief_v1_contract>(me);
}

}  // namespace torture
