#pragma once

#include <filesystem>
#include <quern/connection.hpp>
#include <string>

#include "report.hpp"

namespace torture {

/// Holds what all have written down of a queue, the effects of its workers and its dead letters against its promises.
/// The queue is empty, and nobody works with the database any more.
void check_queue(quern::connection& db, const std::filesystem::path& histories, const std::string& queue, report& into);

}  // namespace torture
