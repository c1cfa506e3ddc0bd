#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "check/codes.hpp"
#include "check/format.hpp"
#include "contract/sha256.hpp"

namespace check {
namespace {

using nlohmann::ordered_json;

std::string_view level_of(text::severity level) {
  return level == text::severity::error ? "error" : "warning";
}

ordered_json rule_of(std::string_view name) {
  ordered_json made{{"id", name}};
  const code* const known = find_code(name);
  if (known == nullptr) return made;
  made["shortDescription"] = {{"text", known->title}};
  made["fullDescription"] = {{"text", known->title}};
  made["help"] = {{"text", known->explanation}, {"markdown", fmt::format("```\n{}\n```", known->explanation)}};
  made["defaultConfiguration"] = {{"level", level_of(known->level)}};
  return made;
}

/// A path as a URI reference: everything but plain characters and `/` as bytes in hex.
std::string as_uri(std::string_view file) {
  std::string made;
  for (const char c : file) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view{"/._-~"}.find(c) != std::string_view::npos;
    if (is_plain) {
      made += c;
    } else {
      made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return made.starts_with('/') ? "file://" + made : made;
}

ordered_json region_of(const text::span& where, const text::line_index& lines) {
  ordered_json made{{"startLine", where.begin.line},
                    {"startColumn", character_column(lines.line(where.begin.line), where.begin.column)}};
  if (where.end > where.begin) {
    made["endLine"] = where.end.line;
    made["endColumn"] = character_column(lines.line(where.end.line), where.end.column);
  }
  return made;
}

ordered_json location_of(const std::string& file, const text::span& where, const text::line_index& lines) {
  ordered_json made{{"artifactLocation", {{"uri", as_uri(file)}, {"uriBaseId", "%SRCROOT%"}}}};
  if (file.starts_with('/')) made["artifactLocation"].erase("uriBaseId");
  if (where.begin.line > 0) made["region"] = region_of(where, lines);
  return {{"physicalLocation", std::move(made)}};
}

class sarif_writer {
 public:
  explicit sarif_writer(const report& found) : found_{found} {}

  ordered_json run() {
    ordered_json results = ordered_json::array();
    for (const finding& one : found_.findings) results.push_back(result_of(one));
    ordered_json rules = ordered_json::array();
    for (const std::string& name : names_) rules.push_back(rule_of(name));
    ordered_json driver{{"name", "quern"}, {"rules", std::move(rules)}};
    ordered_json run{{"tool", {{"driver", std::move(driver)}}},
                     {"columnKind", "unicodeCodePoints"},
                     {"results", std::move(results)}};
    return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
            {"version", "2.1.0"},
            {"runs", ordered_json::array({std::move(run)})}};
  }

 private:
  ordered_json result_of(const finding& one) {
    const std::size_t rule = rule_index(one.what.code);
    const text::line_index lines{source_of(found_, one).content};
    const std::string help = one.what.help.empty() ? "" : "\n" + one.what.help;
    ordered_json made{{"ruleId", one.what.code},
                      {"ruleIndex", rule},
                      {"level", level_of(one.what.level)},
                      {"message", {{"text", one.what.message + help}}},
                      {"locations", ordered_json::array({location_of(one.file, one.what.where, lines)})},
                      {"partialFingerprints", {{"quernFinding/v1", fingerprint_of(one, lines)}}}};
    for (const text::note& note : one.what.notes) {
      ordered_json related = location_of(one.file, note.where, lines);
      related["message"] = {{"text", note.message}};
      made["relatedLocations"].push_back(std::move(related));
    }
    return made;
  }

  std::size_t rule_index(const std::string& name) {
    const auto [place, is_new] = indexes_.try_emplace(name, names_.size());
    if (is_new) names_.push_back(name);
    return place->second;
  }

  /// The same while lines move: it depends on the text of the line, not on its number.
  std::string fingerprint_of(const finding& one, const text::line_index& lines) {
    const std::string key =
        fmt::format("{}\n{}\n{}\n{}", one.what.code, one.file, one.what.message, lines.line(one.what.where.begin.line));
    return contract::sha256(fmt::format("{}\n{}", key, ++seen_[key])).substr(0, 32);
  }

  const report& found_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t> indexes_;
  std::map<std::string, int> seen_;
};

}  // namespace

std::string spell_sarif(const report& found) {
  return sarif_writer{found}.run().dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace check
