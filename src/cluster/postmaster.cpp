#include "cluster/postmaster.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "cluster/error.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

fs::path of_process(pid_t process, const char* name) {
  return fs::path{"/proc"} / std::to_string(process) / name;
}

std::string contents(const fs::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

// The state is the word behind the closing bracket of the program's name: `12 (postgres) S …`.
bool is_zombie(pid_t process) {
  const std::string line = contents(of_process(process, "stat"));
  const std::size_t bracket = line.rfind(')');
  return bracket != std::string::npos && bracket + 2 < line.size() && line[bracket + 2] == 'Z';
}

// A server's directory is its data directory. Who may not see that (root without all its rights in a container) still
// sees the arguments that the server was started with.
bool works_in(pid_t process, const fs::path& data) {
  if (!fs::exists("/proc/self/cwd")) return true;
  std::error_code problem;
  const fs::path directory = fs::read_symlink(of_process(process, "cwd"), problem);
  if (!problem) return directory == data;
  const std::string named = '\0' + data.string() + '\0';
  return contents(of_process(process, "cmdline")).find(named) != std::string::npos;
}

}  // namespace

bool is_alive(pid_t process) {
  // Takes the state of an ended child, so that it does not stay as a zombie; any other process is none of ours.
  if (waitpid(process, nullptr, WNOHANG) == process) return false;
  if (kill(process, 0) != 0 && errno != EPERM) return false;
  return !is_zombie(process);
}

std::optional<pid_t> running_postmaster(const fs::path& data) {
  const fs::path file = data / "postmaster.pid";
  if (access(data.c_str(), X_OK) != 0 && errno == EACCES)
    throw error{fmt::format("{} belongs to another user; ask as that user, or as root", data.string())};
  const std::string text = contents(file);
  pid_t process = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), process);
  if (problem != std::errc{} || process <= 1) return std::nullopt;
  if (!is_alive(process) || !works_in(process, fs::canonical(data))) return std::nullopt;
  return process;
}

std::vector<pid_t> processes_in(const fs::path& data) {
  std::vector<pid_t> found;
  std::error_code ignored;
  const fs::path directory = fs::canonical(data, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator{"/proc", ignored}) {
    const std::string name = entry.path().filename().string();
    if (name.empty() || !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    std::error_code problem;
    if (fs::read_symlink(entry.path() / "cwd", problem) != directory || problem) continue;
    if (fs::read_symlink(entry.path() / "exe", problem).filename().string().starts_with("postgres"))
      found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

}  // namespace cluster
