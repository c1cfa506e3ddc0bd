#include "render/engine_stage.hpp"

#include <fmt/format.h>

#include <iterator>
#include <memory>

#include "contract/queue_names.hpp"
#include "contract/sha256.hpp"
#include "render/file_system.hpp"
#include "render/rendered_queue.hpp"
#include "render/views.hpp"

namespace render {

namespace {

std::string path_of(const contract::line& line, const contract::migration& migration) {
  return fmt::format("{}/{}", line.name, migration.file);
}

/// Those with rights of their own are there for programs, which have none on the tables.
std::string_view user_of_queue_function(const sql_object& function) {
  const bool is_for_programs =
      mentions(function.text, "security definer") && !mentions(function.text, "returns trigger");
  return is_for_programs ? "programs" : "";
}

[[noreturn]] void refuse_history(std::string_view line, const std::string& path, int engine) {
  throw engine_refused{
      {text::severity::error,
       "engine_history",
       fmt::format("{} is not there as it was released: \"{}\" cannot be brought to engine {}", path, line, engine),
       {},
       "take it from version control again: it says what databases have, and how to go back",
       {}}};
}

}  // namespace

migration_texts read_history(const std::filesystem::path& migrations, const contract::lock& lock,
                             const template_set& templates) {
  migration_texts result;
  const auto released = contract::without_drafts(lock);
  bool is_any = false;
  for (const auto& line : released.lines) is_any = is_any || line.engine < templates.engine();
  if (!is_any) return result;
  for (const auto& line : released.lines) {
    for (const auto& migration : line.migrations) {
      auto path = path_of(line, migration);
      auto text = file_system::read(migrations / path);
      if (!text) continue;
      std::erase(*text, '\r');
      result.emplace(std::move(path), *std::move(text));
    }
  }
  return result;
}

sql_objects engine_stage::history_of(const contract::line& line) const {
  sql_objects result;
  for (const auto& migration : line.migrations) {
    const auto path = path_of(line, migration);
    const auto text = history_.find(path);
    if (text == history_.end() || contract::checksum(text->second) != migration.checksum)
      refuse_history(line.name, path, templates_.engine());
    result.apply(forward_part(text->second));
  }
  return result;
}

std::vector<migration_step> engine_stage::besides(renderer& with, std::string_view about, const view& view, int from,
                                                  bool is_after) const {
  std::vector<migration_step> result;
  for (auto number = from + 1; number <= templates_.engine(); ++number) {
    const auto file = engine_step_template({about, number, is_after});
    const auto name = file.substr(0, file.find('.'));
    if (!with.has(name)) continue;
    auto steps = parse_steps(with.text(name, view), file);
    std::move(steps.begin(), steps.end(), std::back_inserter(result));
  }
  return result;
}

std::vector<migration_step> engine_stage::steps(renderer& with, const queue_model& released) const {
  const auto* line = contract::find_line(released_, released.line);
  if (line->engine >= templates_.engine()) return {};
  const auto about = contract::kind_of(*released.state);
  const auto view = shared_view(released, released.name());
  engine_change change{templates_.engine(),
                       history_of(*line),
                       {},
                       besides(with, about, view, line->engine, false),
                       besides(with, about, view, line->engine, true),
                       user_of_queue_function};
  rendered_queue wanted{with, released};
  change.after.apply(wanted.file("create"));
  return engine_steps(with, change);
}

/// What the queues' functions say, and who has which of their rights.
std::string engine_stage::used_by_queues() const {
  std::string result;
  for (const auto& line : released_.lines) {
    if (line.name == contract::core_line || line.state.is_dropped) continue;
    const auto objects = history_of(line);
    for (const auto& object : objects.all()) result += object.text;
    for (const auto& right : objects.rights()) result += right.object + " ";
  }
  return result;
}

std::vector<migration_step> engine_stage::core_steps(renderer& with, const sql_project& project,
                                                     const contract::core_change& change) const {
  const auto* line = contract::find_line(released_, contract::core_line);
  if (line == nullptr || line->engine >= templates_.engine()) return {};
  const auto view = core_view(project, {change.queues_before, change.streams_before, change.schedules_before},
                              change.enumerations_before);
  const auto used = used_by_queues();
  // Of the others queues have the older engine when this comes.
  const auto user = [&](const sql_object& function) -> std::string_view {
    const auto name = function.name.substr(function.name.rfind('.') + 1);
    if (!name.starts_with("quern_") || name == "quern_handshake" || name.starts_with("quern_worker") ||
        name.starts_with("quern_schedule"))
      return "programs";
    return mentions(used, function.name) ? "queues of the older engine" : "";
  };
  engine_change what{templates_.engine(),
                     history_of(*line),
                     {},
                     besides(with, "core", view, line->engine, false),
                     besides(with, "core", view, line->engine, true),
                     user};
  what.after.apply(with.open(sql_folder::core, view).file("create"));
  return engine_steps(with, what);
}

std::vector<std::string> engine_stage::words(int from) const {
  std::vector<std::string> result;
  for (auto number = from + 1; number <= templates_.engine(); ++number) {
    result.push_back(fmt::format("Engine {}: {}", number, templates_.engines[static_cast<std::size_t>(number - 1)]));
  }
  return result;
}

}  // namespace render
