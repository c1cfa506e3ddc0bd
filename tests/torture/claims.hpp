#pragma once

#include "effects.hpp"
#include "player.hpp"

namespace torture {

/// Adds to the history that a message was given to this process.
template <class Message>
void note_claim(player& me, const Message& given) {
  const auto until = given.lease_until.time_since_epoch().count();
  if (const auto key = key_of(given))
    me.notes().add(mark::claimed, given.message_id, given.attempt, until, given.payload.tx, given.payload.place, *key);
  else
    me.notes().add(mark::claimed, given.message_id, given.attempt, until, given.payload.tx, given.payload.place);
}

}  // namespace torture
