#pragma once

#include "render/artefacts.hpp"

namespace cli {

/// Shows on standard output how a file differs from what it should be: the first lines that do.
void say_difference(const render::file_change& change);

}  // namespace cli
