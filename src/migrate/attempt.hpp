#pragma once

#include <functional>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>

#include "migrate/job.hpp"

namespace migrate {

/// Why a job was not done.
struct setback {
  quern::failure details;
  std::string words{};  // with `file:line:` where that is known
  std::string left{};   // what that leaves, e.g. `nothing of this step remains`; empty: as the job says
};

/// What others may do at certain points of a job.
struct onlookers {
  std::function<void()> while_waiting = [] {};  // again and again while the server works
  std::function<void()> before_commit{};        // the transaction is still open; none: it is committed in one message
  std::function<void()> when_begun = [] {};     // not transactional: the ledger knows, nothing else has happened
  std::function<void()> when_executed = [] {};  // not transactional: all is done, and the ledger does not know
};

/// Does the job once, on a connection that is not in a transaction; nothing when it is done. One outside of a
/// transaction whose probe is true already only leaves its trace in the ledger; else it begins with the cleanup.
/// Failures are returned, also the loss of the connection. After one outside of a transaction its cleanup is run.
std::optional<setback> attempt(quern::connection& work, const job& one, const onlookers& watching);

}  // namespace migrate
