#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace render {

/// The engines that templates know: what each changed, in words; the first is number 1, the last is that of the
/// templates.
using engine_log = std::vector<std::string>;

/// The name of the list among the templates.
inline constexpr std::string_view engine_log_name = "engine.txt";

struct read_engine_log_result {
  engine_log value;
  std::vector<text::diagnostic> diagnostics;
};

/// Reads `engine.txt`: a line an engine, its number and what it changed; lines that begin with # are comments.
read_engine_log_result read_engine_log(const text::source& source);

/// Steps that bring what no template replaces to an engine: `sql/engine/queue_2_after.sql.mustache`.
struct engine_step_name {
  std::string_view about;  // queue, stream, core
  int number = 0;
  bool is_after = false;  // when nobody runs the functions of the older engine any more
};

/// What the name of a template says; a number of 0 when it is none of these.
engine_step_name parse_engine_step(std::string_view template_name);

/// The other way round.
std::string engine_step_template(const engine_step_name& name);

}  // namespace render
