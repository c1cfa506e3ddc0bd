#include "check/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "text/utf8.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string_view word(text::severity level) {
  return level == text::severity::error ? "error" : "warning";
}

ordered_json place_of(const text::span& where) {
  if (where.begin.line == 0) return ordered_json::object();
  return {{"line", where.begin.line},
          {"column", where.begin.column},
          {"end_line", where.end.line},
          {"end_column", where.end.column}};
}

ordered_json as_json(const finding& one) {
  ordered_json made{{"check", one.check},
                    {"code", one.what.code},
                    {"severity", word(one.what.level)},
                    {"message", one.what.message},
                    {"file", one.file}};
  made.update(place_of(one.what.where));
  if (!one.what.help.empty()) made["help"] = one.what.help;
  for (const text::note& note : one.what.notes) {
    ordered_json told{{"message", note.message}};
    told.update(place_of(note.where));
    made["notes"].push_back(std::move(told));
  }
  return made;
}

ordered_json as_json(const report& found, std::string_view check) {
  const auto count_of = [&](text::severity level) {
    return std::ranges::count_if(found.findings,
                                 [&](const finding& one) { return one.check == check && one.what.level == level; });
  };
  return {
      {"name", check}, {"errors", count_of(text::severity::error)}, {"warnings", count_of(text::severity::warning)}};
}

std::string relative(const std::string& file, const fs::path& directory) {
  const fs::path absolute = fs::absolute(file).lexically_normal();
  const fs::path below = absolute.lexically_relative(directory);
  return below.empty() || *below.begin() == ".." ? file : below.generic_string();
}

}  // namespace

std::string summary_of(const report& found) {
  const std::size_t errors = count(found, text::severity::error);
  const std::size_t warnings = count(found, text::severity::warning);
  if (errors == 0 && warnings == 0) return "nothing found";
  if (errors == 0) return counted(warnings, "warning");
  if (warnings == 0) return counted(errors, "error");
  return fmt::format("{} and {}", counted(errors, "error"), counted(warnings, "warning"));
}

std::string spell_text(const report& found, text::colouring colours) {
  std::string made;
  for (std::size_t i = 0; i < found.findings.size();) {
    // Those of one file together: its lines are searched only once.
    const std::string& file = found.findings[i].file;
    std::vector<text::diagnostic> together;
    for (; i < found.findings.size() && found.findings[i].file == file; ++i) together.push_back(found.findings[i].what);
    const auto known = found.sources.find(file);
    made += text::spell(together, known == found.sources.end() ? text::source{file, {}} : known->second, colours);
  }
  return made + fmt::format("{}: {}\n", counted(found.checks.size(), "check"), summary_of(found));
}

std::string spell_json(const report& found) {
  ordered_json checks = ordered_json::array();
  for (const std::string_view check : found.checks) checks.push_back(as_json(found, check));
  ordered_json findings = ordered_json::array();
  for (const finding& one : found.findings) findings.push_back(as_json(one));
  const ordered_json made{{"format", 1},
                          {"errors", count(found, text::severity::error)},
                          {"warnings", count(found, text::severity::warning)},
                          {"checks", std::move(checks)},
                          {"findings", std::move(findings)}};
  return made.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void name_files_from(report& found, std::string_view directory) {
  const fs::path root = fs::path{directory}.lexically_normal();
  std::map<std::string, text::source> sources;
  for (auto& [file, source] : found.sources) sources.emplace(relative(file, root), std::move(source));
  found.sources = std::move(sources);
  for (finding& one : found.findings) one.file = relative(one.file, root);
}

std::size_t character_column(std::string_view line, std::size_t column) {
  std::size_t characters = 1;
  for (std::size_t at = 0; at + 1 < column && at < line.size(); at += text::character_at(line, at).size) ++characters;
  return characters;
}

}  // namespace check
