#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "render/renderer.hpp"
#include "render/sql_objects.hpp"
#include "render/step.hpp"
#include "text/diagnostic.hpp"

namespace render {

/// Thrown where a released line cannot be brought to the engine of the templates.
struct engine_refused {
  text::diagnostic why;
};

/// What brings the objects of a line to the engine of the templates.
struct engine_change {
  int number = 0;                     // of that engine
  sql_objects before;                 // that the released migrations have made
  sql_objects after;                  // that the templates make of the same state
  std::vector<migration_step> first;  // what sql/engine says besides: before functions are replaced, and
  std::vector<migration_step> last;   // when nobody runs the old ones any more
  std::function<std::string_view(const sql_object&)>
      user;  // of a function, in words; empty: only functions of the line
};

/// The steps of such a change; none when the engines make the same. Throws engine_refused when a function with users
/// would have another signature, or be gone.
std::vector<migration_step> engine_steps(renderer& with, const engine_change& change);

/// The steps that a template of sql/engine spells. Throws std::runtime_error when they are not spelled as steps are.
std::vector<migration_step> parse_steps(const std::string& text, const std::string& template_name);

}  // namespace render
