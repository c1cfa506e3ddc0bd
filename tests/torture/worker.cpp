// Claims and takes messages and ends the attempts in every way there is; what is given up without a word is remembered,
// and acknowledged much later. An effect is written in the transaction that ends the message.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <quern/consumer.hpp>
#include <quern/transaction.hpp>
#include <torture/jobs.hpp>
#include <torture/letters.hpp>
#include <torture/orders.hpp>
#include <torture/steps.hpp>
#include <torture/urgent.hpp>
#include <vector>

#include "claims.hpp"
#include "effects.hpp"
#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

template <class Contract>
class worker {
 public:
  worker(player& me, quern::connection& db) : me_{&me}, db_{&db}, from_{db} {}

  void step() {
    if (me_->chance(0.2)) return take();
    me_->notes().note(mark::asks);
    const auto claimed = from_.claim(me_->between(1, 20), milliseconds{me_->between(100, 800)});
    note(claimed);
    if (claimed.empty()) return me_->pause(milliseconds{me_->between(5, 50)});
    if (me_->chance(0.3)) return acknowledge_all(claimed);
    for (const message& each : claimed) handle(each);
    if (!forgotten_.empty() && me_->chance(0.3)) acknowledge_forgotten();
  }

 private:
  using message = quern::message_of<Contract>;

  void note(const std::vector<message>& claimed) {
    for (const message& each : claimed) note_claim(*me_, each);
    me_->notes().flush();
  }

  void handle(const message& held) {
    switch (me_->between(0, 9)) {
      case 0:
        me_->notes().note(mark::may_end, held.message_id, held.attempt);
        from_.nack(held, "a reason");
        break;
      case 1:
        me_->notes().note(mark::may_end, held.message_id, held.attempt);
        from_.release(held);
        break;
      case 2:
        forgotten_.push_back(held);
        if (forgotten_.size() > 100) forgotten_.pop_front();
        break;
      case 3:
        extend(held);
        acknowledge(held);
        break;
      default:
        acknowledge(held);
        if (me_->chance(0.05)) me_->pause(milliseconds{me_->between(50, 1200)});
    }
  }

  void extend(const message& held) {
    me_->notes().note(mark::may_end, held.message_id, held.attempt);
    const auto until = from_.extend(held, milliseconds{me_->between(200, 1000)});
    if (!until) return;
    me_->notes().note(mark::extended, held.message_id, held.attempt, until->time_since_epoch().count());
    me_->pause(milliseconds{me_->between(0, 100)});
  }

  void acknowledge(const message& held) {
    quern::transaction both{*db_};
    me_->notes().note(mark::asks_to_end, held.message_id, held.attempt);
    if (!from_.ack(held)) return;
    write_handled(*db_, Contract::queue, std::vector{held}, "ack");
    if (me_->chance(0.1)) return;
    both.commit();
    me_->notes().note(mark::ended, held.message_id, held.attempt);
    if (me_->chance(0.2) && from_.ack(held)) violation(held, "was acknowledged a second time");
  }

  void acknowledge_all(std::vector<message> claimed) {
    quern::transaction both{*db_};
    for (const message& each : claimed) me_->notes().add(mark::asks_to_end, each.message_id, each.attempt);
    me_->notes().add(mark::asks);
    me_->notes().flush();
    const auto answer = me_->chance(0.5) ? from_.ack_and_claim(claimed, 5, milliseconds{300})
                                         : typename quern::consumer<Contract>::claimed{{}, from_.ack(claimed)};
    std::erase_if(claimed, [&](const message& each) { return std::ranges::count(answer.lost, each.message_id) > 0; });
    write_handled(*db_, Contract::queue, claimed, "ack_many");
    if (me_->chance(0.1)) return;
    both.commit();
    for (const message& each : claimed) me_->notes().add(mark::ended, each.message_id, each.attempt);
    note(answer.messages);
    for (const message& each : answer.messages) handle(each);
  }

  void acknowledge_forgotten() {
    if (me_->chance(0.5)) return acknowledge_all(forgotten_of_each());
    const message held = forgotten_.front();
    forgotten_.pop_front();
    acknowledge(held);
  }

  /// Some that were forgotten, long ago and lately, each message once: what is lost is told by its id alone.
  std::vector<message> forgotten_of_each() {
    std::vector<message> some;
    while (!forgotten_.empty() && some.size() < 10) {
      const message& next = forgotten_.front();
      if (std::ranges::count(some, next.message_id, &message::message_id) > 0) break;
      some.push_back(next);
      forgotten_.pop_front();
    }
    return some;
  }

  void take() {
    quern::transaction both{*db_};
    const auto taken = from_.take(both, me_->between(1, 10));
    if (taken.empty()) return;
    write_handled(*db_, Contract::queue, taken, "take");
    if (me_->chance(0.05)) me_->pause(milliseconds{me_->between(10, 500)});
    if (me_->chance(0.2)) return;
    both.commit();
    for (const message& each : taken) me_->notes().add(mark::ended, each.message_id, each.attempt);
    me_->notes().flush();
  }

  void violation(const message& of, const char* words) {
    me_->notes().note(mark::violation, fmt::format("message {}, attempt {}, {}", of.message_id, of.attempt, words));
  }

  player* me_;
  quern::connection* db_;
  quern::consumer<Contract> from_;
  std::deque<message> forgotten_;
};

template <class Contract>
void work(player& me) {
  keep_working(me, [&](quern::connection& db) {
    worker<Contract> mine{me, db};
    while (!me.is_over()) mine.step();
  });
}

}  // namespace

void work_on_jobs(player& me) {
  work<jobs_v1_contract>(me);
}

void work_on_letters(player& me) {
  work<letters_v1_contract>(me);
}

void work_on_orders(player& me) {
  work<orders_v1_contract>(me);
}

void work_on_steps(player& me) {
  work<steps_v1_contract>(me);
}

void work_on_urgent(player& me) {
  work<urgent_v1_contract>(me);
}

}  // namespace torture
