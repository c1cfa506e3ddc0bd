#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "queue/workshop.hpp"

/// Queues whose messages are ordered by a key: their body.
namespace test {

/// Three attempts, with 10 s between them.
std::string ordered(std::string_view options = "");

/// Where a key goes on behind a message that has failed for the last time.
extern const std::string skipping;

/// `1 3`
std::string ids(const std::vector<held>& messages);

void send_all(workshop& here, std::initializer_list<const char*> keys);

/// Claims the message until it has no attempt left.
void kill(workshop& here, std::int64_t id);

}  // namespace test
