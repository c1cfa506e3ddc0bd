#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>

namespace migrate {

/// How a script ended that did not succeed.
struct script_failure {
  quern::failure details;
  std::size_t completed = 0;  // how many statements succeeded before, whether or not they are still in effect
};

/// What becomes of a transaction that a script which succeeded has left open.
enum class open_transactions { are_rolled_back, stay };

/// Executes a text of several statements on a connection that is not in a transaction, in one round trip; nothing when
/// all of them succeeded. While the server works, `while_waiting` is called every `pause`. A transaction that a
/// script which failed has left open is rolled back. Failures are returned, also the loss of the connection.
std::optional<script_failure> run_script(quern::connection& db, const std::string& sql, std::chrono::milliseconds pause,
                                         const std::function<void()>& while_waiting,
                                         open_transactions left = open_transactions::are_rolled_back);

}  // namespace migrate
