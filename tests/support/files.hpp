#pragma once

#include <filesystem>
#include <string>

namespace test {

/// The file's bytes; empty when there is none.
std::string content_of(const std::filesystem::path& file);

/// What a case expects of a file; where QUERN_WRITE_EXPECTED is set, the file is written first as it was made now.
std::string expected(const std::filesystem::path& file, const std::string& made);

}  // namespace test
