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

/// Executes a text of several statements on a connection that is not in a transaction, in one round trip; nothing when
/// all of them succeeded. While the server works, `while_waiting` is called every `pause`. A transaction that the
/// script has left open is rolled back. Failures are returned, also the loss of the connection.
std::optional<script_failure> run_script(quern::connection& db, const std::string& sql, std::chrono::milliseconds pause,
                                         const std::function<void()>& while_waiting);

}  // namespace migrate
