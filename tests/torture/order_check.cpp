#include "order_check.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace torture {
namespace {

/// What has been given out, or handled, of a key so far.
class past {
 public:
  explicit past(const tx_map& txs) : txs_{&txs} {}

  void add(const keyed& each) {
    auto& last = last_places_.try_emplace(each.tx, each).first->second;
    if (each.place > last.place) last = each;
    const micros begun = begun_of(each.tx);
    if (begun > latest_begun_) {
      latest_begun_ = begun;
      latest_ = each;
    }
  }

  /// One that should have come later than this.
  std::optional<keyed> too_early(const keyed& each) const {
    if (const auto same = last_places_.find(each.tx); same != last_places_.end() && same->second.place > each.place)
      return same->second;
    const auto known = txs_->find(each.tx);
    if (known == txs_->end() || known->second.committed == 0 || known->second.committed >= latest_begun_) return {};
    return latest_;
  }

 private:
  micros begun_of(std::int64_t tx) const {
    const auto known = txs_->find(tx);
    return known == txs_->end() ? 0 : known->second.begun;
  }

  const tx_map* txs_;
  std::unordered_map<std::int64_t, keyed> last_places_;
  micros latest_begun_ = 0;
  keyed latest_;
};

/// Calls for the part of each key.
template <class Item, class Visit>
void for_each_key(const std::vector<Item>& sorted, Visit visit) {
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto end = std::find_if(first, sorted.end(), [&](const Item& each) { return each.key != first->key; });
    visit(std::vector<Item>{first, end});
    first = end;
  }
}

void check_one_at_a_time(const std::string& queue, const std::vector<hold>& of_key, report& into) {
  const hold* longest = nullptr;  // of those so far
  const hold* other = nullptr;    // the one of another message that lasts longest
  for (const hold& each : of_key) {
    const hold* rival = longest != nullptr && longest->message == each.message ? other : longest;
    if (rival != nullptr && rival->until > each.since && each.until > each.since)
      into.violation("one of a key at a time", "{}: message {} of {} was given to {} while {} had message {} for {} us",
                     queue, each.message, each.key, each.by, rival->by, rival->message, rival->until - each.since);
    if (longest == nullptr || each.until > longest->until) {
      if (longest != nullptr && longest->message != each.message) other = longest;
      longest = &each;
    } else if (each.message != longest->message && (other == nullptr || each.until > other->until)) {
      other = &each;
    }
  }
}

void check_given(const std::string& queue, const tx_map& txs, const std::vector<hold>& of_key, report& into) {
  std::vector<const hold*> by_question;
  for (const hold& each : of_key)
    if (each.asked != 0) by_question.push_back(&each);
  std::ranges::sort(by_question, {}, &hold::asked);
  past given{txs};
  auto next = of_key.begin();
  for (const hold* each : by_question) {
    for (; next != of_key.end() && next->since < each->asked; ++next) given.add(*next);
    if (const auto early = given.too_early(*each))
      into.violation("a key's order is kept",
                     "{}: message {} of {} was given to {} after message {}, which comes later", queue, each->message,
                     each->key, each->by, early->message);
  }
}

void check_handled(const std::string& queue, const tx_map& txs, const std::vector<handling>& of_key, report& into) {
  past handled{txs};
  for (const handling& each : of_key) {
    if (const auto early = handled.too_early(each))
      into.violation("a key's order is kept", "{}: message {} of {} was handled after message {}, which comes later",
                     queue, each.message, each.key, early->message);
    handled.add(each);
  }
}

}  // namespace

void check_order(const std::string& queue, const tx_map& txs, std::vector<hold> holds, std::vector<handling> handlings,
                 report& into) {
  std::ranges::sort(holds, {}, [](const hold& each) { return std::tuple{each.key, each.since, each.message}; });
  std::ranges::sort(handlings, {}, [](const handling& each) { return std::tuple{each.key, each.when, each.place}; });
  for_each_key(holds, [&](const std::vector<hold>& of_key) {
    check_one_at_a_time(queue, of_key, into);
    check_given(queue, txs, of_key, into);
  });
  for_each_key(handlings, [&](const std::vector<handling>& of_key) { check_handled(queue, txs, of_key, into); });
  into.count(queue + ": handled in the order of a key", handlings.size());
}

}  // namespace torture
