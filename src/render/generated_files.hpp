#pragma once

#include <filesystem>

#include "render/artefacts.hpp"

/// The files below generated/, of which a manifest says what quern wrote.
namespace render {

/// Adds to the comparison how they differ.
void compare_generated(const generation& wanted, const std::filesystem::path& root, parts which, comparison& result);

/// Makes them as they should be. Whoever is interrupted leaves files that the next run knows as ours.
void write_generated(const generation& wanted, const comparison& differences, const std::filesystem::path& root,
                     parts which);

}  // namespace render
