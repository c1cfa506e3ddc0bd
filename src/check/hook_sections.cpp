#include "check/hook_sections.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace check {
namespace {

/// Steps hold the text with LF: only its lines tell where it stands in the file.
void add(std::vector<hook_section>& made, const text::line_index& lines, hook_section one, const std::string& sql,
         int first_line) {
  const auto first = static_cast<std::size_t>(first_line);
  const auto count = static_cast<std::size_t>(std::ranges::count(sql, '\n'));
  one.begin = lines.offset_of({first, 1});
  one.end = lines.offset_of({first + count, 1});
  made.push_back(one);
}

}  // namespace

std::vector<hook_section> sections_of(const migrate::parsed_hook& hook, const text::line_index& lines) {
  std::vector<hook_section> made;
  for (std::size_t i = 0; i < hook.steps.size(); ++i) {
    const migrate::step& step = hook.steps[i];
    const auto add_part = [&](section_kind kind, const std::optional<migrate::section>& part) {
      if (part) add(made, lines, {kind, i, step.is_transactional}, part->sql, part->first_line);
    };
    add(made, lines, {section_kind::step, i, step.is_transactional}, step.sql, step.first_line);
    add_part(section_kind::probe, step.probe);
    add_part(section_kind::cleanup, step.cleanup);
    add_part(section_kind::reverse, step.reverse);
  }
  return made;
}

}  // namespace check
