#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/history.hpp"

namespace migrate {

/// Where and how applied migrations are taken back. Only the ledger is asked what was applied and how to undo it.
struct rollback_request {
  std::string database;               // for libpq
  std::string schema;                 // holds the ledger
  std::optional<std::string> line{};  // nothing: that of the migration that was applied last
  std::optional<int> number{};        // the lowest that is taken back; nothing: only the newest
  std::chrono::milliseconds patience = std::chrono::seconds{60};  // for another runner, and again for each step's locks
  std::chrono::milliseconds wait_for_use{};  // how long a reverse that says `still in use` is tried again
  std::function<void(std::string_view)> progress = [](std::string_view) {};   // waiting, and what for
  std::function<void(std::string_view)> under_way = [](std::string_view) {};  // each second of a long step: how far
  std::function<void(const applied_step&, std::chrono::milliseconds)> taken_back = [](const applied_step&,
                                                                                      std::chrono::milliseconds) {};
  std::function<void(const applied_step&)> begun = [](const applied_step&) {};     // see moment::begun
  std::function<void(const applied_step&)> executed = [](const applied_step&) {};  // see moment::executed
};

/// Takes back the newest migration of a line, or all from the newest down to and including a number, each step with its
/// row in the ledger. Gives the titles of what was taken back; none when it is not applied (any more). Rollbacks and
/// runners take turns; one that was killed at any point goes on when it is run again. Throws error before anything is
/// changed when a step cannot be undone, other lines may need what core would lose, or the server is read-only;
/// afterwards when a step is still in use, fails, or its locks are not to be had; its words say what was taken back
/// before that.
std::vector<std::string> rollback(const rollback_request& how);

/// The SQL that rollback() would send, ready for psql; changes nothing.
std::string rollback_dry_run(const rollback_request& how);

}  // namespace migrate
