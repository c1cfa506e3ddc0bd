#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "cluster/keeper.hpp"

namespace torture {

/// A file system in memory, for this process and those that it starts alone, that can be full. It takes a user who may
/// mount, if only in a user namespace: elsewhere there is none.
class disk {
 public:
  /// Makes it where `is_wanted`. Nothing else may run in this process yet. Ends with this object, or with this process.
  explicit disk(bool is_wanted);
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;

  bool is_there() const { return keeper_.has_value(); }

  /// Why it is not there.
  const std::string& reason() const { return reason_; }

  /// Where it is; /tmp without it.
  const std::filesystem::path& directory() const { return directory_; }

  /// From now on it takes so many bytes more, about, and then nothing.
  void fill(std::uint64_t left) const;

  /// From now on it has room again.
  void make_room() const;

 private:
  void make();

  std::filesystem::path directory_ = "/tmp";
  std::string reason_;
  std::optional<cluster::keeper> keeper_;
};

}  // namespace torture
