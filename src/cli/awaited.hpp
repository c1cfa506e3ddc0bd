#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "cli/exit_code.hpp"
#include "cli/operated.hpp"

namespace cli {

/// Waits until a message of a queue that keeps results has ended, and prints its result as a line of JSON, `null` where
/// its handler gave none. Throws failure when it was not handled, and when that has taken for longer than `longest`.
exit_code say_result(operated_schema& in, const operated_queue& of, std::int64_t message_id,
                     std::optional<std::chrono::microseconds> longest);

}  // namespace cli
