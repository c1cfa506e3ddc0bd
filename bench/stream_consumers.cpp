// What consumers cost those who publish: fifty that are subscribed, against one.

#include <fmt/format.h>

#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {
namespace {

constexpr int producers = 4;

void subscribe(quern::connection& db, int count) {
  empty_stream<shop::activity_v1_contract>(db);
  for (int i = 0; i < count; ++i)
    db.execute("select shop.activity_subscribe($1, 'start')", fmt::format("consumer_{}", i));
}

}  // namespace

std::vector<row> stream_consumers_rows(const scene& where) {
  quern::connection db{where.url};
  crew<publishing> clients{producers, where.url};
  db.execute("checkpoint");
  const auto with = [&](int consumers) {
    subscribe(db, consumers);
    return clients.run(where.how.time);
  };
  const comparison measured = compare(
      where.how.rounds, [&] { return with(50); }, [&] { return with(1); });
  return {message_row("publish, 4 producers, 50 consumers", "the same with one consumer", measured, 0.95)};
}

}  // namespace bench
