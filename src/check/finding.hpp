#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/diagnostic.hpp"
#include "text/source.hpp"

/// What `quern check` looks at before a change is merged, and what it finds.
namespace check {

/// What is wrong, and in which file.
struct finding {
  std::string_view check{};  // which one found it: a name of `report::checks`
  std::string file{};        // as the caller would open it
  text::diagnostic what{};
  bool operator==(const finding&) const = default;
};

/// What a run of checks gives.
struct report {
  std::vector<std::string_view> checks{};         // that were made, in their order
  std::vector<finding> findings{};                // by file, place and code
  std::map<std::string, text::source> sources{};  // by file: what the places of the findings lie in

  void add(std::string_view check, std::string file, text::diagnostic what) {
    findings.push_back({check, std::move(file), std::move(what)});
  }
};

/// By file, place, code and message.
void sort(report& found);

/// How many findings are of that severity.
std::size_t count(const report& found, text::severity level);

/// The text of a finding's file; an empty one when it is not known.
const text::source& source_of(const report& found, const finding& one);

}  // namespace check
