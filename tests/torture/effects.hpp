#pragma once

#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <string_view>
#include <vector>

namespace torture {

/// Writes down that a consumer has handled these events, in the transaction that is open.
template <class Event>
void write_effects(quern::connection& db, std::string_view stream, std::string_view consumer,
                   const std::vector<Event>& events) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> txs;
  std::vector<std::int32_t> places;
  for (const Event& each : events) {
    offsets.push_back(each.offset);
    txs.push_back(each.payload.tx);
    places.push_back(each.payload.place);
  }
  db.execute(
      "insert into public.effect (stream, consumer, event_offset, tx, place) "
      "select $1, $2, e.* from unnest($3::bigint[], $4::bigint[], $5::integer[]) as e",
      stream, consumer, offsets, txs, places);
}

/// What a message is ordered by, if it is.
template <class Message>
std::optional<std::int64_t> key_of(const Message& message) {
  if constexpr (requires { message.payload.account; })
    return message.payload.account;
  else
    return std::nullopt;
}

/// The same of messages, and how they were ended.
template <class Message>
void write_handled(quern::connection& db, std::string_view queue, const std::vector<Message>& messages,
                   std::string_view how) {
  std::vector<std::int64_t> ids;
  std::vector<std::int32_t> attempts;
  std::vector<std::int64_t> txs;
  std::vector<std::int32_t> places;
  std::vector<std::optional<std::int64_t>> keys;
  for (const Message& each : messages) {
    ids.push_back(each.message_id);
    attempts.push_back(each.attempt);
    txs.push_back(each.payload.tx);
    places.push_back(each.payload.place);
    keys.push_back(key_of(each));
  }
  db.execute(
      "insert into public.handled (queue, message_id, attempt, tx, place, account, how) "
      "select $1, h.*, $2 from unnest($3::bigint[], $4::integer[], $5::bigint[], $6::integer[], $7::bigint[]) as h",
      queue, how, ids, attempts, txs, places, keys);
}

}  // namespace torture
