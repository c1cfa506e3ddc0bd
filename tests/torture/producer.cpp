// Enqueues in every way there is, in transactions some of which are rolled back, or have parts that are.

#include <optional>
#include <quern/producer.hpp>
#include <quern/transaction.hpp>
#include <torture/jobs.hpp>
#include <torture/letters.hpp>
#include <torture/orders.hpp>
#include <torture/steps.hpp>
#include <torture/urgent.hpp>
#include <type_traits>
#include <vector>

#include "player.hpp"

namespace torture {
namespace {

using std::chrono::milliseconds;

template <class Contract>
class producing {
 public:
  producing(player& me, quern::connection& db) : me_{&me}, db_{&db}, producer_{db} {}

  /// One transaction.
  void step() {
    tx_ = me_->next_tx();
    place_ = 0;
    me_->notes().note(mark::begun, tx_);
    try {
      me_->chance(0.5) ? enqueue_alone() : enqueue_in_transaction();
    } catch (const quern::error& failed) {
      if (!failed.outcome_unknown()) me_->notes().note(mark::taken_back, tx_);
      throw;
    }
  }

 private:
  using payload = typename Contract::payload_type;
  using options = typename quern::producer<Contract>::options_type;

  payload next() {
    payload made = of_place(place_);
    ++place_;
    return made;
  }

  payload of_place(std::int32_t place) {
    payload made{.tx = tx_, .place = place};
    if constexpr (requires { made.account; }) {
      constexpr bool is_optional = std::is_same_v<decltype(made.account), std::optional<std::int64_t>>;
      if (!is_optional || me_->chance(0.8)) made.account = me_->between(1, 20);
    }
    return made;
  }

  std::vector<payload> some(int count) {
    std::vector<payload> made;
    for (int i = 0; i < count; ++i) made.push_back(next());
    return made;
  }

  options how() {
    options made;
    if (me_->chance(0.2)) made.delay = milliseconds{me_->between(1, 800)};
    if constexpr (quern::contract_with_priorities<Contract>) made.priority = me_->between(0, Contract::priorities - 1);
    return made;
  }

  void about_to_commit() { me_->notes().note(mark::intent, tx_, place_); }

  void enqueue_alone() {
    const auto payloads = some(me_->chance(0.6) ? 1 : me_->between(2, 20));
    about_to_commit();
    if (payloads.size() == 1)
      producer_.enqueue(payloads.front(), how());
    else if (me_->chance(0.5))
      producer_.enqueue(payloads, how());
    else
      producer_.enqueue_all(payloads);
    me_->notes().note(mark::committed, tx_);
  }

  void enqueue_in_transaction() {
    quern::transaction all{*db_};
    for (int i = me_->between(1, 3); i > 0; --i) {
      enqueue_part();
      if (me_->chance(0.3)) enqueue_for_nothing();
      if (me_->chance(0.05)) me_->pause(milliseconds{me_->between(50, 2000)});
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

  void enqueue_part() {
    switch (me_->between(0, 2)) {
      case 0:
        producer_.enqueue(some(me_->between(1, 10)), how());
        break;
      case 1:
        producer_.enqueue_all(some(me_->between(1, 20)));
        break;
      default:
        producer_.enqueue(next(), how());
    }
  }

  void enqueue_for_nothing() {
    db_->execute("savepoint nothing");
    producer_.enqueue(of_place(-1), how());
    db_->execute("rollback to savepoint nothing");
  }

  player* me_;
  quern::connection* db_;
  quern::producer<Contract> producer_;
  std::int64_t tx_ = 0;
  std::int32_t place_ = 0;
};

template <class Contract>
void produce(player& me) {
  keep_working(me, [&](quern::connection& db) {
    producing<Contract> mine{me, db};
    while (!me.is_over()) {
      mine.step();
      me.pause(milliseconds{me.between(5, 60)});
    }
  });
}

}  // namespace

void produce_jobs(player& me) {
  produce<jobs_v1_contract>(me);
}

void produce_letters(player& me) {
  produce<letters_v1_contract>(me);
}

void produce_orders(player& me) {
  produce<orders_v1_contract>(me);
}

void produce_steps(player& me) {
  produce<steps_v1_contract>(me);
}

void produce_urgent(player& me) {
  produce<urgent_v1_contract>(me);
}

}  // namespace torture
