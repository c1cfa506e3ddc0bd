#pragma once

namespace cli {

/// Puts /dev/null on each of the descriptors 0, 1 and 2 that is closed, so that no connection gets its number and is
/// taken for a standard stream. Using such a stream fails as before. To be called before anything is opened.
void occupy_standard_files() noexcept;

}  // namespace cli
