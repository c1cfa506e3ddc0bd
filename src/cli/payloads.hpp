#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cli {

/// Sends payloads that belong together, all or none.
using send_payloads = std::function<void(const std::vector<std::string>& payloads)>;

/// Sends `given`, or with `-` the lines of standard input, many at a time, and says how far it is. Empty lines count
/// for nothing. Returns how many there were. Where a line is refused, those before it have been sent, and failure says
/// which it is.
std::int64_t send_all(const std::string& given, const send_payloads& send);

}  // namespace cli
