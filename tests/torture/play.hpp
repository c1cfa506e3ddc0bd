#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report.hpp"

namespace torture {

/// What is to be done.
struct plan {
  int seconds = 600;
  std::uint64_t seed = 0;
  bool is_short = false;
  int workers = 0;           // of the queues; 0: a dozen
  std::int64_t depth = 0;    // messages that wait in a queue of each storage when it begins
  bool is_terminal = false;  // progress is shown
  std::filesystem::path directory = "build/torture";
  std::optional<std::filesystem::path> templates{};
  std::vector<std::string> without{};
};

/// Makes a server, lets all play, and checks what they have written down. Throws when that cannot be done.
report play(const plan& how);

/// Whether a signal has cut it short: what it did until then was checked.
bool was_cut_short();

}  // namespace torture
