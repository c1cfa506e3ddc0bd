#pragma once

#include <string>
#include <vector>

#include "check/made_project.hpp"
#include "check/server.hpp"

namespace test {

/// What the checks with a server find in a project.
struct tryout {
  std::vector<std::string> findings{};  // `file: message [code]`, with the file from the project's root on
  std::vector<std::string> notes{};
  std::vector<std::string_view> checks{};
};

/// Makes the checks, or one of them, with the server that all tests share.
tryout try_out(const made_project& what, std::vector<std::string_view> only = {});

}  // namespace test
