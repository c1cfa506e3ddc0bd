#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/base.hpp"
#include "check/finding.hpp"
#include "check/project.hpp"

namespace check {

/// An empty database that is gone with this object.
class scratch_place {
 public:
  virtual ~scratch_place() = default;
  virtual const std::string& url() const = 0;
};

/// Where and how thoroughly migrations are tried out.
struct server_options {
  std::function<std::unique_ptr<scratch_place>()> make_database;             // called from one thread at a time
  std::vector<std::string_view> only{};                                      // names of checks; none: all of them
  bool is_thorough = false;                                                  // every state and step of the history
  std::function<void(std::string_view)> progress = [](std::string_view) {};  // what is being done
  std::function<void(std::string_view)> noted = [](std::string_view) {};     // what was left out, and why
};

/// The names of the checks that need a server, in the order in which they are made.
namespace name {
inline constexpr std::string_view server_install = "server_install";
inline constexpr std::string_view server_locks = "server_locks";
inline constexpr std::string_view server_grants = "server_grants";
inline constexpr std::string_view server_upgrade = "server_upgrade";
inline constexpr std::string_view server_rollback = "server_rollback";
inline constexpr std::string_view server_kill = "server_kill";
inline constexpr std::string_view server_runners = "server_runners";
inline constexpr std::string_view server_contracts = "server_contracts";
}  // namespace name

/// Applies the migrations of a project to empty databases, in every way in which they will be applied, and tries the
/// contracts on what becomes of it. Does nothing when the files cannot be used, which check_project() has reported.
/// Throws migrate::error and quern::error when the server cannot be worked with.
void check_on_server(const places& where, const std::optional<base>& against, const server_options& how, report& found);

}  // namespace check
