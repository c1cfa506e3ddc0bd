#pragma once

#include <filesystem>
#include <quern/connection.hpp>
#include <string>

#include "report.hpp"

namespace torture {

/// Holds what all have written down of a stream, the effects of its consumers and what the database has of it against
/// its promises (I1, I2, I3, I5, I6). Nobody works with the database any more.
void check_stream(quern::connection& db, const std::filesystem::path& histories, const std::string& stream,
                  std::chrono::microseconds retention, report& into);

}  // namespace torture
