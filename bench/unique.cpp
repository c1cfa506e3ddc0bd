// What `unique` costs: enqueueing one by one, and claiming and acknowledging a hundred at a time, with and without.

#include <fmt/format.h>

#include <atomic>

#include "crew.hpp"
#include "queue_clients.hpp"
#include "refilled.hpp"
#include "scene.hpp"
#include "shop/email_once.hpp"

namespace bench {
namespace {

using plain = shop::email_v1_contract;
using once = shop::email_once_v1_contract;

constexpr int batch = 100;

std::atomic<std::int64_t> next_order = 1'000'000'000;

/// Enqueues a message a step, of which there is no other.
template <class Contract>
class enqueuing_another {
 public:
  explicit enqueuing_another(const std::string& url) : db_{url}, producer_{db_} {}

  progress step() {
    mail_.order_id = next_order++;
    producer_.enqueue(mail_);
    return {.count = 1};
  }

  int backend_pid() const { return db_.backend_pid(); }

 private:
  using payload = typename Contract::payload_type;

  quern::connection db_;
  quern::producer<Contract> producer_;
  payload mail_ = mail<payload>(42);
};

row enqueue_row(const scene& where, quern::connection& db, int producers) {
  empty<once>(db);
  db.execute("truncate shop.email_once_unique_v1");
  empty<plain>(db);
  db.execute("checkpoint");
  crew<enqueuing_another<once>> with{producers, where.url};
  crew<enqueuing_another<plain>> without{producers, where.url};
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return message_row(fmt::format("enqueue unique, {} producer{}", producers, producers == 1 ? "" : "s"),
                     "the same without unique", measured);
}

template <class Contract>
void fill_claimed(quern::connection& db, std::int64_t count) {
  if constexpr (quern::contract_with_duplicates<Contract>) db.execute("truncate shop.email_once_unique_v1");
  fill_anew<Contract>(db, count);
}

row claim_row(const scene& where, int consumers) {
  refilled<claiming<once>> with{where, consumers, batch, fill_claimed<once>, batch};
  refilled<claiming<plain>> without{where, consumers, batch, fill_claimed<plain>, batch};
  const comparison measured = compare(
      where.how.rounds, [&] { return with(); }, [&] { return without(); });
  return message_row(fmt::format("claim + ack of 100 unique, {} consumer{}", consumers, consumers == 1 ? "" : "s"),
                     "the same without unique", measured);
}

}  // namespace

std::vector<row> unique_rows(const scene& where) {
  quern::connection db{where.url};
  return {enqueue_row(where, db, 1), enqueue_row(where, db, 4), claim_row(where, 1), claim_row(where, 4)};
}

}  // namespace bench
