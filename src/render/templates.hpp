#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/engine_log.hpp"
#include "render/template_text.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace render {

/// A file below templates/, part of the program.
struct embedded_template {
  std::string_view name;  // sql/queue/enqueue.sql.mustache
  std::string_view text;
};

/// All of them, sorted by name. (Generated when Quern is built.)
const std::vector<embedded_template>& embedded_templates();

/// A template that is used: the program's, or the user's in its place.
struct template_source {
  std::string name;
  text::source source;         // named by its file, or `templates/<name>` of the program
  std::filesystem::path file;  // empty when it is the program's
};

/// The program's templates, each replaced by the file of its name below `directory` when there is one; steps of further
/// engines may be added there. Throws std::runtime_error with words for the user when the directory cannot be read or
/// holds a file that is no template of Quern.
std::vector<template_source> load_templates(const std::optional<std::filesystem::path>& directory);

/// What is wrong with one template.
struct template_problems {
  text::source source;
  std::vector<text::diagnostic> diagnostics;
};

/// Templates whose tags are all known to provide a value.
struct template_set {
  std::map<std::string, checked_template, std::less<>> all;  // by name
  std::vector<template_problems> problems;                   // nothing can be rendered when there are any
  engine_log engines{};

  /// The number of what they make in a database.
  int engine() const { return static_cast<int>(engines.size()); }
};

/// Checks templates against what the views provide.
template_set check_templates(const std::vector<template_source>& sources);

/// What the view of a template holds.
shape provided_to(std::string_view template_name);

/// The name of the object in a template's file: `enqueue` of sql/queue/enqueue.sql.mustache.
std::string_view object_name(std::string_view template_name);

/// The templates that are files of the output; the others below sql/ are objects.
bool is_file_template(std::string_view template_name);

}  // namespace render
