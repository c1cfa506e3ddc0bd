// Whether a consumer that is far behind reads as fast as one that is not: as many events from the start of a long
// backlog and of a short one.

#include <fmt/format.h>

#include "scene.hpp"
#include "stream_clients.hpp"

namespace bench {

std::vector<row> stream_depth_rows(const scene& where) {
  using deep = shop::activity_deep_v1_contract;
  using shallow = shop::activity_v1_contract;
  const std::int64_t backlog = where.how.drained;
  quern::connection db{where.url};
  empty_stream<shallow>(db);
  publish_and_seal<shallow>(db, backlog);
  publish_and_seal<deep>(db, where.how.stream_depth);
  db.execute("checkpoint");
  crew<receiving<deep>> with{1, where.url, std::string{"reader"}, backlog};
  crew<receiving<shallow>> without{1, where.url, std::string{"reader"}, backlog};
  const comparison measured = compare(
      where.how.rounds, [&] { return with.run(where.how.time); }, [&] { return without.run(where.how.time); });
  return {message_row(fmt::format("receive + ack of 1000, {} events behind", where.how.stream_depth),
                      fmt::format("the same, {} events behind", backlog), measured, 0.90)};
}

}  // namespace bench
