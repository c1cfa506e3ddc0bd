#include "records.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

namespace torture {
namespace {

namespace fs = std::filesystem;

// What a fault may make of a call: the connection goes, or was never had.
bool is_of_a_fault(std::string_view sqlstate, bool is_lost) {
  constexpr std::array passing{"40P01", "53100", "53300", "57P01", "57P02", "57P03"};
  return is_lost || std::ranges::count(passing, sqlstate) > 0;
}

}  // namespace

record parse_record(std::string_view line) {
  record read;
  const char* at = line.data();
  const char* const end = line.data() + line.size();
  at = std::from_chars(at, end, read.at).ptr;
  if (end - at < 2) return {};
  read.what = at[1];
  at += 2;
  read.rest = at == end ? std::string_view{} : std::string_view{at + 1, static_cast<std::size_t>(end - at - 1)};
  for (std::int64_t& number : read.numbers) {
    if (at == end) break;
    const auto [next, problem] = std::from_chars(at + 1, end, number);
    if (problem != std::errc{}) break;
    at = next;
  }
  return read;
}

void for_each_record(const fs::path& directory, std::string_view line,
                     const std::function<void(const std::string&, const record&)>& visit) {
  std::vector<fs::path> files;
  for (const auto& each : fs::directory_iterator{directory})
    if (each.path().filename().string().starts_with(std::string{line} + '.')) files.push_back(each.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const std::string name = file.filename();
    std::ifstream in{file};
    for (std::string text; std::getline(in, text);) visit(name, parse_record(text));
  }
}

bool take_tx(tx_map& known, const record& from) {
  const auto tx = from.numbers[0];
  switch (from.what) {
    case mark::begun:
      known[tx].begun = from.at;
      return true;
    case mark::intent:
      known[tx].intent = from.at;
      known[tx].count = from.numbers[1];
      return true;
    case mark::committed:
      known[tx].committed = from.at;
      return true;
    case mark::taken_back:
      known[tx].is_taken_back = true;
      return true;
    default:
      return false;
  }
}

bool take_trouble(report& into, const std::string& file, const record& from) {
  if (from.what == mark::violation) {
    into.violation("a player's own", "{}: {}", file, from.rest);
    return true;
  }
  if (from.what != mark::error) return false;
  const std::string_view sqlstate = from.rest.substr(0, from.rest.find(' '));
  const std::string_view flags = from.rest.substr(std::min(sqlstate.size() + 1, from.rest.size()), 3);
  if (!is_of_a_fault(sqlstate, flags.starts_with('1')))
    into.violation("no unexpected error", "{}, at {}: {}", file, from.at, from.rest);
  into.count("errors that faults made", 1);
  return true;
}

std::string why_unseen(const tx_map& known, std::int64_t tx) {
  const auto found = known.find(tx);
  if (found == known.end()) return "nobody has begun";
  return found->second.is_taken_back ? "was taken back" : "was never asked to commit";
}

}  // namespace torture
