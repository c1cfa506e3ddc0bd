#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "render/view.hpp"

/// The only door to the template engine. It checks nothing: see check_template.
namespace render {

/// A view in the form that the engine reads; made once for all templates that show it.
class engine_view {
 public:
  explicit engine_view(const view& view);
  engine_view(engine_view&&) noexcept;
  engine_view& operator=(engine_view&&) noexcept;
  ~engine_view();

 private:
  friend class engine_template;
  struct content;
  std::unique_ptr<content> content_;
};

/// A parsed template. Rendering is not safe from two threads at once: each has its own.
class engine_template {
 public:
  /// From the text of a checked template.
  explicit engine_template(const std::string& text);
  engine_template(engine_template&&) noexcept;
  engine_template& operator=(engine_template&&) noexcept;
  ~engine_template();

  /// Appends the template with the values of the view.
  void render(const engine_view& view, std::string& out);

 private:
  struct content;
  std::unique_ptr<content> content_;
};

}  // namespace render
