#include "cluster/scratch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cluster/error.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

fs::path fresh_directory(const fs::path& parent) {
  std::string name = parent / "quern-scratch-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw error{fmt::format("cannot create {}: {}", name, std::strerror(errno))};
  // The server's user has to pass; what is inside is closed to others by itself.
  chmod(name.c_str(), 0711);
  return name;
}

}  // namespace

scratch::scratch(setting_list settings, const fs::path& parent) {
  options_ = {
      .directory = fresh_directory(parent), .programs = {}, .is_throw_away = true, .settings = std::move(settings)};
  keeper_.emplace([directory = options_.directory] {
    destroy(directory);
    fs::remove_all(directory);
  });
  state_ = cluster::start(options_);
}

void scratch::stop(shutdown how) {
  cluster::stop(options_.directory, how);
  state_.postmaster.reset();
}

void scratch::start(setting_list settings) {
  options_.settings = std::move(settings);
  state_ = cluster::start(options_);
}

}  // namespace cluster
