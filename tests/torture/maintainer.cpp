// Clears away and rotates all the time, more than anybody would.

#include <fmt/format.h>

#include "player.hpp"

namespace torture {

void maintain_streams(player& me) {
  keep_working(me, [&](quern::connection& db) {
    me.pause(std::chrono::milliseconds{me.between(10, 100)});
    const std::string_view stream = me.chance(0.7) ? "brief" : "activity";
    switch (me.between(0, 3)) {
      case 0:
        db.execute(fmt::format("select torture.{}_rotate('-1 s')", stream));
        break;
      case 1:
        db.execute(fmt::format("select torture.{}_compact(0)", stream));
        break;
      default:
        db.execute(fmt::format("select torture.{}_maintain()", stream));
    }
  });
}

void maintain_letters(player& me) {
  keep_working(me, [&](quern::connection& db) {
    me.pause(std::chrono::milliseconds{me.between(10, 100)});
    switch (me.between(0, 3)) {
      case 0:
        db.execute("select torture.letters_rotate(0)");
        break;
      case 1:
        db.execute("select torture.letters_compact(0)");
        break;
      case 2:
        db.execute(fmt::format("select torture.letters_truncate({})", me.between(0, 4)));
        break;
      default:
        db.execute("select torture.letters_maintain()");
    }
  });
}

void redrive_steps(player& me) {
  keep_working(me, [&](quern::connection& db) {
    me.pause(std::chrono::milliseconds{me.between(50, 500)});
    db.execute(fmt::format("select torture.steps_redrive_all({})", me.between(1, 3)));
  });
}

}  // namespace torture
