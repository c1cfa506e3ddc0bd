#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Every qualified name of the database is made here, so that a queue could live in another schema, on another server.
namespace render::names {

/// The beginning of the names of a queue's objects: `shop.email`, for shop.email_message.
std::string prefix(std::string_view schema, std::string_view queue);

/// The view that is the queue's door: `shop.email`, `shop."order"`.
std::string door(std::string_view schema, std::string_view queue);

/// An index, which lives in the schema of its table: `shop.email_message_priority`.
std::string index(std::string_view schema, std::string_view name);

/// The type of an enumeration: `shop.channel`.
std::string enumeration(std::string_view schema, std::string_view name);

/// The notification channel, which is one identifier: `shop.email`, without quotes.
std::string channel(std::string_view schema, std::string_view queue);

/// The channel on which the ends of messages are told to those who wait for their results: `shop.email.done`.
std::string done_channel(std::string_view schema, std::string_view queue);

/// The advisory lock that waiting consumers of the queue share: the first eight bytes of SHA-256 of
/// "quern/queue/<schema>/<queue>", big endian.
std::int64_t advisory_key(std::string_view schema, std::string_view queue);

}  // namespace render::names
