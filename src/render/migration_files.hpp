#pragma once

#include <filesystem>
#include <string_view>

#include "render/artefacts.hpp"

/// The files below migrations/. They are history: nothing but a draft is ever changed.
namespace render {

inline constexpr std::string_view lock_name = "quern.lock";

/// Whether there is a migration of any line, which has a lock beside it.
bool has_migrations(const std::filesystem::path& root);

/// Adds to the comparison how they and the lock differ.
void compare_migrations(const generation& wanted, const std::filesystem::path& root, comparison& result);

/// Makes all but the lock as it should be.
void write_migrations(const comparison& differences, const std::filesystem::path& root);

}  // namespace render
