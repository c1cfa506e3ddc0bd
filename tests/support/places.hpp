#pragma once

#include <filesystem>

/// Where the tests find what they need; known when the tests are built.
namespace test {

/// The checkout.
std::filesystem::path source_dir();

/// The program `quern` of this build.
std::filesystem::path program();

/// The cases of a room: tests/<room>/cases.
std::filesystem::path cases(const std::filesystem::path& room);

}  // namespace test
