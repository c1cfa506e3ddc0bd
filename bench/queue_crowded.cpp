// What stands beside the messages that are ready: as many that are delayed, and as many that others hold.

#include <fmt/format.h>

#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"

namespace bench {
namespace {

using crowded = shop::email_deep_v1_contract;
using plain = shop::email_v1_contract;

constexpr int consumers = 4;
constexpr int batch = 100;

/// Fills a queue with ready ones behind those that are held; those that are delayed stay from round to round.
class crowd {
 public:
  explicit crowd(const scene& where) : count_{where.how.crowd} {
    quern::connection db{where.url};
    empty<crowded>(db);
    db.execute("truncate shop.email_deep_delayed");
    fill<crowded>(db, count_);
    // As a failed attempt leaves them.
    db.execute(
        "select count(shop.email_deep_nack(c.message_id, c.attempt, 'not now', interval '1 hour')) from "
        "shop.email_deep_claim_v1($1) as c",
        static_cast<std::int32_t>(count_));
    db.execute("vacuum (analyze) shop.email_deep_delayed");
  }

  void operator()(quern::connection& db, std::int64_t count) const {
    empty<crowded>(db);
    fill<crowded>(db, count_);
    db.execute("select count(*) from shop.email_deep_claim_v1($1, interval '1 hour')",
               static_cast<std::int32_t>(count_));
    fill<crowded>(db, count);
  }

 private:
  std::int64_t count_;
};

}  // namespace

std::vector<row> queue_crowded_rows(const scene& where) {
  const crowd beside{where};
  refilled<claiming<crowded>> with{where, consumers, batch, beside, batch};
  refilled<claiming<plain>> without{where, consumers, batch, fill_anew<plain>, batch};
  const comparison measured = compare(
      where.how.rounds, [&] { return with(); }, [&] { return without(); });
  return {message_row(fmt::format("claim + ack of 100 beside {0} delayed and {0} leased", where.how.crowd),
                      "the same with none", measured, 0.80)};
}

}  // namespace bench
