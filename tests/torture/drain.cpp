#include "drain.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <exception>
#include <quern/consumer.hpp>
#include <quern/cooperative_consumer.hpp>
#include <quern/stream_consumer.hpp>
#include <quern/transaction.hpp>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <torture/activity.hpp>
#include <torture/brief.hpp>
#include <torture/jobs.hpp>
#include <torture/letters.hpp>
#include <torture/orders.hpp>
#include <torture/steps.hpp>
#include <torture/urgent.hpp>

#include "effects.hpp"

namespace torture {
namespace {

constexpr std::chrono::seconds longest{60};

template <class Contract>
void hand_out(quern::connection& db, const std::string& name) {
  quern::stream_consumer<Contract> from{db, name};
  for (;;) {
    from.seal();
    quern::transaction within{db};
    const auto events = from.receive(within, 1000);
    if (events.empty()) return;
    write_effects(db, Contract::queue, name, events);
    if (!from.ack(events))
      throw std::runtime_error{fmt::format("{} cannot acknowledge what it alone has received", name)};
    within.commit();
  }
}

template <class Contract>
void hand_out_all(quern::connection& db) {
  const auto names =
      db.execute(fmt::format("select array_agg(consumer) from torture.{}_consumer where not is_cooperative",
                             Contract::queue))
          .template value<std::vector<std::string>>();
  for (const std::string& name : names) hand_out<Contract>(db, name);
}

/// Of a cooperative consumer.
template <class Contract>
void finish(quern::connection& db) {
  quern::cooperative_consumer<Contract> crew{db, "crew"};
  const auto end = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const auto events = crew.claim(1000);
    if (!events.empty()) {
      quern::transaction within{db};
      write_effects(db, Contract::queue, "crew", events);
      if (!crew.ack(events).empty()) throw std::runtime_error{"crew cannot acknowledge what it alone has claimed"};
      within.commit();
    } else if (!crew.next_due()) {
      return;
    } else if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error{fmt::format("events of {} are left that nobody can claim", Contract::queue)};
    }
  }
}

template <class Contract>
void empty(quern::connection& db) {
  quern::consumer<Contract> from{db};
  // Dead letters that hold others back are not the end of them.
  constexpr bool is_blocking = Contract::queue == steps_v1_contract::queue;
  const std::string is_empty = fmt::format("select ready + delayed + leased{} = 0 from torture.{}_stats()",
                                           is_blocking ? " + dead" : "", Contract::queue);
  const auto end = std::chrono::steady_clock::now() + longest;
  for (;;) {
    quern::transaction within{db};
    const auto taken = from.take(within, 5000);
    write_handled(db, Contract::queue, taken, "drain");
    within.commit();
    if (!taken.empty()) continue;
    if (is_blocking) db.execute("select torture.steps_redrive_all()");
    if (db.execute(is_empty).template value<bool>()) return;
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error{fmt::format("messages of {} are left that nobody can have", Contract::queue)};
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

}  // namespace

void drain(const std::string& url, report& into) {
  constexpr std::array parts{
      hand_out_all<activity_v1_contract>, hand_out_all<brief_v1_contract>, finish<activity_v1_contract>,
      finish<brief_v1_contract>,          empty<jobs_v1_contract>,         empty<letters_v1_contract>,
      empty<urgent_v1_contract>,          empty<orders_v1_contract>,       empty<steps_v1_contract>};
  for (const auto part : parts) {
    try {
      quern::connection db{url};
      part(db);
    } catch (const std::exception& problem) {
      into.violation("everything comes to an end", "{}", problem.what());
    }
  }
}

}  // namespace torture
