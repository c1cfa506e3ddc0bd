#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "report.hpp"

namespace torture {

/// Enqueues so many messages to a queue of each storage, and writes that down.
void make_deep(const std::string& url, const std::filesystem::path& histories, std::int64_t depth, report& into);

}  // namespace torture
