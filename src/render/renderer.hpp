#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "render/template_engine.hpp"
#include "render/templates.hpp"
#include "render/view.hpp"

namespace render {

enum class sql_folder { core, queue, version, stream, stream_version };

class renderer;

/// Without the ends of its last lines.
std::string without_end(std::string text);

/// The objects of one folder, rendered once for one view, out of which files are put together.
class rendered_objects {
 public:
  /// The file of that template: `definition`, `migration`, `extension`.
  std::string file(std::string_view name);

  /// The text of one object.
  const std::string& text(std::string_view name) const;

  /// An object that comes from elsewhere: the queue's `versions`.
  void add(std::string_view name, std::string text);

 private:
  friend class renderer;
  rendered_objects(renderer& from, std::string_view folder, const view& view);
  std::string assemble(std::string_view frame) const;

  renderer& from_;
  std::string folder_;
  engine_view view_;
  std::map<std::string, std::string, std::less<>> texts_;  // of the objects
};

/// Parsed templates, for one thread.
class renderer {
 public:
  explicit renderer(const template_set& templates);

  /// The C++ header of that template: `queue`, `enum`.
  std::string header(std::string_view name, const view& view);

  rendered_objects open(sql_folder folder, const view& view);

  /// Whether there is such a template for text().
  bool has(std::string_view name) const { return files_.contains(fmt::format("{}.sql.mustache", name)); }

  /// A template alone, without blank lines at its ends: `sql/change/settle`.
  std::string text(std::string_view name, const view& view);

 private:
  friend class rendered_objects;

  struct object {
    std::string name;
    engine_template parsed;
  };

  std::map<std::string, engine_template, std::less<>> files_;          // by the name of the template
  std::map<std::string, std::vector<object>, std::less<>> by_folder_;  // sql/core/, sql/queue/
};

}  // namespace render
