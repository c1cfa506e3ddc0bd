// Any bytes are read: nothing crashes, every diagnostic points into the source, and what is accepted keeps every rule.
// Built with -DQUERN_FUZZ=ON and clang++; `declaration_fuzz corpus/` runs until it is stopped.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "declaration/invariants.hpp"
#include "declaration/read.hpp"
#include "text/diagnostic.hpp"

namespace {

void require(const std::string& broken) {
  if (broken.empty()) return;
  std::fprintf(stderr, "broken: %s\n", broken.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const text::source source{"quern.toml", std::string(reinterpret_cast<const char*>(data), size)};
  const auto read = declaration::read(source);
  require(read.declared.has_value() == read.problems.empty() ? "" : "neither or both of a model and problems");
  if (read.declared) require(test::broken_rule(*read.declared));
  const text::line_index lines(source.content);
  for (const auto& problem : read.problems) require(test::broken_rule(problem, lines));
  if (!text::spell(read.problems, source, text::colouring::ansi).ends_with('\n') && !read.declared) std::abort();
  return 0;
}
