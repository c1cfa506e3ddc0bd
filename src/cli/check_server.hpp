#pragma once

#include <string>

#include "check/server.hpp"
#include "cli/command_line.hpp"

namespace cli {

/// Where `quern check` tries the migrations out.
struct check_server_arguments {
  std::string database{};  // a server for scratch databases
  bool is_private = false;
  bool is_thorough = false;

  bool is_wanted() const { return is_private || !database.empty(); }
};

void add_options(const command_line& command, check_server_arguments& given);

/// Adds the findings of the checks with a server. Throws failure when the server cannot be worked with.
void check_on_server(const check_server_arguments& given, const check::places& where,
                     const std::optional<check::base>& against, check::report& found);

}  // namespace cli
