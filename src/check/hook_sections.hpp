#pragma once

#include <cstddef>
#include <vector>

#include "migrate/parse.hpp"
#include "text/source.hpp"

namespace check {

enum class section_kind { step, probe, cleanup, reverse };

/// A stretch of SQL of a hook: what of a step is sent to the server at one time.
struct hook_section {
  section_kind kind = section_kind::step;
  std::size_t step = 0;  // which one of the file
  bool is_transaction = true;
  std::size_t begin = 0;  // in bytes of the file
  std::size_t end = 0;
};

/// Where the steps of a hook and their sections stand in its file.
std::vector<hook_section> sections_of(const migrate::parsed_hook& hook, const text::line_index& lines);

}  // namespace check
