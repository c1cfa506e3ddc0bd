#pragma once

#include <string>
#include <string_view>

#include "check/finding.hpp"
#include "text/diagnostic.hpp"

/// A report in the formats that people and machines read. All of them end with a line end.
namespace check {

/// As diagnostics with their lines, and how many there are.
std::string spell_text(const report& found, text::colouring colours);

/// {"format": 1, "errors": 1, "warnings": 0, "checks": […], "findings": […]}. Lines and columns count from 1, columns
/// in bytes; a finding of a file as a whole has none.
std::string spell_json(const report& found);

/// SARIF 2.1.0: rules with their help, results with regions and fingerprints.
std::string spell_sarif(const report& found);

/// Commands of GitHub Actions, which annotate the changed lines: `::error file=…,line=…::message`.
std::string spell_github(const report& found);

/// The same as a table in Markdown, for GITHUB_STEP_SUMMARY.
std::string spell_summary(const report& found);

/// JUnit's XML: a test case for each check.
std::string spell_junit(const report& found);

/// How the findings' files are named in SARIF and annotations: below this directory, without it. The files of the
/// report are as the caller opens them, from the present directory.
void name_files_from(report& found, std::string_view directory);

/// `2 errors and 1 warning`; `nothing found` when there are none.
std::string summary_of(const report& found);

/// The column of characters, from 1, for one of bytes in that line.
std::size_t character_column(std::string_view line, std::size_t column);

}  // namespace check
