#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace cluster {

/// The server process of a data directory, by its postmaster.pid; nothing when that is missing or tells of a process
/// that is gone or is another program by now. Throws error when the caller may not look into the directory.
std::optional<pid_t> running_postmaster(const std::filesystem::path& data);

/// Processes that work in a data directory and are not `postmaster`: backends that outlive a killed postmaster for a
/// moment and keep a new one from starting. Empty on systems without /proc.
std::vector<pid_t> processes_in(const std::filesystem::path& data);

/// Whether the process runs; an ended one that nobody has waited for does not.
bool is_alive(pid_t process);

}  // namespace cluster
