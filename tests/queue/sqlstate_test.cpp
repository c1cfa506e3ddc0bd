#include <filesystem>
#include <fstream>
#include <quern/sqlstate.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "support/catch.hpp"
#include "support/places.hpp"

namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("every SQLSTATE that the templates raise is in the table, and every one of the queues' is raised") {
  std::set<std::string> raised;
  for (const auto& file : fs::recursive_directory_iterator{test::source_dir() / "templates" / "sql"}) {
    if (!file.is_regular_file()) continue;
    const auto text = content(file.path());
    const std::regex code{"errcode = '([^']*)'"};
    for (std::sregex_iterator it{text.begin(), text.end(), code}, end; it != end; ++it) raised.insert((*it)[1]);
    INFO(file.path().string());
    // Each error has one, and one that can be found by reading.
    std::size_t raises = 0;
    for (auto at = text.find("raise exception"); at != std::string::npos; at = text.find("raise exception", at + 1))
      ++raises;
    CHECK(raises == static_cast<std::size_t>(std::distance(std::sregex_iterator{text.begin(), text.end(), code}, {})));
  }
  std::set<std::string> known;
  for (const auto& each : quern::sqlstate::conditions) known.insert(std::string{each.code});
  // These two are the runner's.
  known.erase(std::string{quern::sqlstate::history_mismatch});
  known.erase(std::string{quern::sqlstate::missing_role});
  CHECK(raised == known);
}
