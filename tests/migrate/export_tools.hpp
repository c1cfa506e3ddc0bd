#pragma once

#include <string>
#include <vector>

#include "migrate/export.hpp"

namespace test {

/// How psql ended.
struct psql_outcome {
  int exit_code = 0;
  std::string words{};  // both streams
};

/// Executes a text as `psql -f` does: each statement by itself.
psql_outcome psql_script(const std::string& url, const std::string& text);

/// Applies, or takes back, what was exported for a tool, as that tool does: in the order of its numbers, forwards or
/// backwards, in transactions or outside of them as the files say, without knowing what was applied before. Throws with
/// the words of the first failure.
void apply_all(migrate::export_format format, const migrate::file_texts& files, const std::string& url);
void take_back_all(migrate::export_format format, const migrate::file_texts& files, const std::string& url);

}  // namespace test
