#include "render/engine_log.hpp"

#include <fmt/format.h>

#include <charconv>

namespace render {

namespace {

constexpr std::string_view folder = "sql/engine/";
constexpr std::string_view ending = ".sql.mustache";
constexpr std::string_view after = "_after";

/// The number that a text begins with, which is taken off it; 0 when there is none.
int take_number(std::string_view& text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || number < 1) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

read_engine_log_result read_engine_log(const text::source& source) {
  read_engine_log_result result;
  const text::line_index lines{source.content};
  const auto report = [&](std::size_t line, std::string code, std::string message) {
    result.diagnostics.push_back(
        {text::severity::error, std::move(code), std::move(message), {{line, 1}, {line, 1}}, {}, {}});
  };
  std::string_view rest = source.content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto next = static_cast<int>(result.value.size() + 1);
    if (take_number(line) != next || !line.starts_with(' ') || line.size() < 2) {
      report(number, "engine_log", fmt::format("this line must be `{} ` and what engine {} changed", next, next));
      return result;
    }
    result.value.emplace_back(line.substr(1));
  }
  if (result.value.empty()) report(1, "engine_log", "there is no engine in this list");
  return result;
}

engine_step_name parse_engine_step(std::string_view template_name) {
  if (!template_name.starts_with(folder) || !template_name.ends_with(ending)) return {};
  auto name = template_name.substr(folder.size(), template_name.size() - folder.size() - ending.size());
  const auto about = name.substr(0, name.find('_'));
  if ((about != "queue" && about != "stream" && about != "core") || about.size() == name.size()) return {};
  name.remove_prefix(about.size() + 1);
  const auto number = take_number(name);
  if (number == 0 || (!name.empty() && name != after)) return {};
  return {about, number, !name.empty()};
}

std::string engine_step_template(const engine_step_name& name) {
  return fmt::format("{}{}_{}{}{}", folder, name.about, name.number, name.is_after ? after : std::string_view{},
                     ending);
}

}  // namespace render
