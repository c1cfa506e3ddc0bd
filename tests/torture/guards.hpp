#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/templates.hpp"

namespace torture {

/// A part of a template's text, and what takes its place.
struct replacement {
  std::string_view name;  // of the template: sql/stream/seal.sql.mustache
  std::string_view part;  // occurs once or more
  std::string_view by;
};

/// Something that the protocols need: without it the torture has to notice.
struct guard {
  std::string_view name;
  std::string_view meaning;
  std::string_view promise;  // that does not hold without it, as the checkers name it
  std::vector<replacement> changes;
};

const std::vector<guard>& guards();

/// Throws std::invalid_argument for a name that is none.
const guard& guard_named(std::string_view name);

/// Takes guards out of the templates. Throws std::invalid_argument for a name that is none, std::logic_error when a
/// template does not hold what is to be taken out.
void remove_guards(std::vector<render::template_source>& templates, const std::vector<std::string>& names);

}  // namespace torture
