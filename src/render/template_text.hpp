#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "render/view.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace render {

/// Which values a template may name, and inside of which lists.
struct shape {
  enum class kind { text, flag, list };
  struct member;
  std::map<std::string, member, std::less<>> members;
};

struct shape::member {
  kind is = kind::text;
  shape items;  // of a list
};

/// The shape of a view; an empty list gives no items.
shape shape_of(const view& view);

/// Stands on both sides of an object's name in a checked template; no UTF-8 text has this byte.
inline constexpr char object_mark = '\xfc';

/// A template after checking, in the form that the engine takes.
struct checked_template {
  std::string text;                  // with marked names in place of `{{> object}}`
  std::vector<std::string> objects;  // named by `{{> object}}`, in order
  std::set<std::string> used;        // `fields/column`, a value with the lists that it was found in
  std::vector<text::diagnostic> diagnostics;
};

/// Checks every tag of a template: a value that the view does not provide, a list used as a text, a section that is not
/// closed, a tag that Mustache knows and quern does not offer. `objects` may be named by `{{> }}`.
checked_template check_template(const text::source& source, const shape& provided,
                                const std::set<std::string>& objects);

}  // namespace render
