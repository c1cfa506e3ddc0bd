#include "migrate/drift_adopted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "migrate/error.hpp"
#include "migrate/parse.hpp"

namespace migrate {
namespace {

namespace fs = std::filesystem;

constexpr int format = 1;
constexpr std::string_view absent = "absent";

[[noreturn]] void refuse(const fs::path& file, std::string_view words) {
  throw error{reason::wrong_input, fmt::format("{}: {}", file.string(), words)};
}

bool is_digest(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text == absent || (text.size() == 64 && std::ranges::all_of(text, is_hex));
}

adoptions from_json(const fs::path& file, const nlohmann::json& read) {
  const bool has_form = read.is_object() && read.size() == 2 && read.contains("format") && read.contains("adopted");
  if (!has_form || !read["format"].is_number_integer() || !read["adopted"].is_object())
    refuse(file, "should hold `format` and `adopted`, as `quern adopt` writes them");
  if (read["format"] != format)
    refuse(file, fmt::format("has format {}; this program knows {}", read["format"].dump(), format));
  adoptions made;
  for (const auto& [object, digest] : read["adopted"].items()) {
    if (!digest.is_string() || !is_digest(digest.get<std::string>()))
      refuse(file, fmt::format("what is adopted of {} is neither a digest nor `absent`", object));
    made.emplace(object, digest.get<std::string>());
  }
  return made;
}

}  // namespace

std::string digest_of(const difference& one) {
  return one.definition.empty() ? std::string{absent} : sha256(one.definition);
}

std::string spell(const adoptions& adopted) {
  const nlohmann::ordered_json written{{"format", format}, {"adopted", adopted}};
  return written.dump(2) + '\n';
}

adoptions read_adoptions(const fs::path& file) {
  std::ifstream input{file, std::ios::binary};
  if (!input) {
    if (!fs::exists(file)) return {};
    refuse(file, "cannot be read");
  }
  const std::string text{std::istreambuf_iterator<char>{input}, {}};
  const nlohmann::json read = nlohmann::json::parse(text, nullptr, false);
  if (read.is_discarded()) refuse(file, "is not JSON");
  return from_json(file, read);
}

void write_adoptions(const fs::path& file, const adoptions& adopted) {
  std::error_code failed;
  if (adopted.empty()) {
    fs::remove(file, failed);
  } else {
    const fs::path made{file.string() + ".new"};
    std::ofstream output{made, std::ios::binary | std::ios::trunc};
    output << spell(adopted);
    output.close();
    if (!output) refuse(made, "cannot be written");
    fs::rename(made, file, failed);
  }
  if (failed) refuse(file, fmt::format("cannot be written: {}", failed.message()));
}

judgement judge(const std::vector<difference>& differences, const adoptions& adopted) {
  judgement made;
  std::set<std::string> different;
  for (const difference& one : differences) {
    const bool is_first = different.insert(one.object).second;
    const auto known = adopted.find(one.object);
    const bool is_honoured = known != adopted.end() && known->second == digest_of(one);
    if (!is_honoured) made.open.push_back(one);
    if (!is_first || known == adopted.end()) continue;
    (is_honoured ? made.honoured : made.outdated).push_back(one.object);
  }
  for (const auto& [object, digest] : adopted)
    if (!different.contains(object)) made.idle.push_back(object);
  return made;
}

}  // namespace migrate
