#include "hand_table.hpp"

#include "event.hpp"
#include "interrupt.hpp"

namespace bench {

void make_tasks(quern::connection& db) {
  db.run_script(
      "drop table if exists shop.tasks;"
      "create table shop.tasks (id serial primary key, payload jsonb not null, status varchar(20) not null default "
      "'pending', created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp);"
      "create index tasks_pending on shop.tasks (status, created_at) where status = 'pending';");
}

void add_tasks(quern::connection& db, std::int64_t count) {
  static constexpr quern::prepared add{
      "insert into shop.tasks (payload) select jsonb_build_object('customer_id', n, 'kind', 'order_placed', 'detail', "
      "$2::jsonb) from generate_series(1, $1) as n"};
  db.execute(add, count, event<shop::activity>(1).detail);
}

void fill_tasks(quern::connection& db, std::int64_t count) {
  db.execute("truncate shop.tasks");
  add_tasks(db, count);
  check_interrupt();
  db.execute("vacuum (analyze) shop.tasks");
}

progress by_hand::step() {
  static constexpr quern::prepared claim{
      "update shop.tasks set status = 'processing', updated_at = current_timestamp where id in (select id from "
      "shop.tasks where status = 'pending' order by created_at limit $1 for update skip locked) returning id, "
      "payload"};
  static constexpr quern::prepared finish{"delete from shop.tasks where id = any ($1)"};
  std::vector<std::int32_t> ids;
  std::vector<quern::json> payloads;
  for (const quern::row each : db_.execute(claim, batch_)) {
    ids.push_back(each.get<std::int32_t>(0));
    payloads.push_back(each.get<quern::json>(1));
  }
  if (!ids.empty()) db_.execute(finish, ids);
  return {.count = ids.size(), .is_finished = ids.empty()};
}

}  // namespace bench
