#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace torture {

/// Makes the streams and queues of quern.toml, from templates that may be others in part and lack guards, and the
/// tables of the effects. Throws std::exception with words for people.
void install(const std::string& url, const std::optional<std::filesystem::path>& templates,
             const std::vector<std::string>& without);

}  // namespace torture
