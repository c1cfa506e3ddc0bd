#include "render/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "contract/diff.hpp"
#include "contract/retirement.hpp"
#include "contract/sha256.hpp"
#include "render/core_migration.hpp"
#include "render/cpp.hpp"
#include "render/line_migration.hpp"
#include "render/parallel.hpp"
#include "render/rendered_queue.hpp"
#include "render/renderer.hpp"
#include "render/views.hpp"

namespace render {

namespace {

using contract::core_line;

/// What one queue adds to the output.
struct queue_output {
  std::string header;
  std::string definition;
};

template <class Item>
void sort_by_name(std::vector<Item>& items) {
  std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) { return left.name < right.name; });
}

class generator {
 public:
  generator(const declaration::project& project, const contract::changes& changes, const template_set& templates,
            parts wanted)
      : project_{project},
        changes_{changes},
        templates_{templates},
        wanted_{wanted},
        sql_{project.name, project.schema},
        qualifier_{cpp::qualifier(project)} {}

  generation run() && {
    result_.lock = changes_.released;
    result_.lock.project = project_.name;
    result_.lock.schema = project_.schema;
    result_.lock.enumerations = changes_.core.enumerations;
    renderer own{templates_};
    render_queues();
    for (const auto& enumeration : changes_.core.enumerations) {
      add_header(enumeration.name,
                 own.header("enum", enumeration_header_view(sql_, project_.cpp_namespace, enumeration)));
    }
    if (wanted_ == parts::all) {
      add_core(own);
      for (const auto& change : changes_.lines) add_line(own, change);
      sort_by_name(result_.lock.lines);
      sort_migrations();
      result_.lock_text = contract::write_lock(result_.lock);
    }
    std::sort(result_.files.begin(), result_.files.end(),
              [](const output_file& left, const output_file& right) { return left.path < right.path; });
    return std::move(result_);
  }

 private:
  void render_queues() {
    const auto& queues = project_.queues;
    std::vector<const contract::queue_state*> states;
    std::map<std::string_view, const contract::queue_state*> changed;
    for (const auto& change : changes_.lines) changed.emplace(change.line, &change.after);
    for (const auto& queue : queues) {
      const auto change = changed.find(queue.name);
      states.push_back(change != changed.end() ? change->second
                                               : &contract::find_line(changes_.released, queue.name)->state);
    }
    std::vector<queue_output> outputs(queues.size());
    // The engine keeps state while it renders: each thread has its own.
    for_each_index(
        queues.size(), [&] { return renderer{templates_}; },
        [&](renderer& own, std::size_t i) { outputs[i] = render_queue(own, *states[i]); });
    for (std::size_t i = 0; i < queues.size(); ++i) {
      add_header(queues[i].name, std::move(outputs[i].header));
      if (wanted_ == parts::headers) continue;
      result_.files.push_back({fmt::format("sql/{}.sql", queues[i].name), std::move(outputs[i].definition)});
    }
  }

  queue_output render_queue(renderer& own, const contract::queue_state& state) const {
    const auto model = model_of(sql_, state, changes_.core.enumerations);
    queue_output result;
    result.header = own.header("queue", queue_header_view(model, project_.cpp_namespace, qualifier_));
    if (wanted_ == parts::all) result.definition = rendered_queue{own, model}.file("definition");
    return result;
  }

  void add_header(const std::string& name, std::string text) {
    result_.files.push_back(
        {fmt::format("include/{}/{}.hpp", namespace_path(project_.cpp_namespace), name), std::move(text)});
  }

  void add_core(renderer& own) {
    std::vector<std::string> queues;
    for (const auto& queue : project_.queues) queues.push_back(queue.name);
    auto present = own.open(sql_folder::core, core_view(sql_, queues, changes_.core.enumerations));
    result_.files.push_back({fmt::format("sql/{}.sql", core_line), present.file("definition")});
    if (!changes_.core.is_new && changes_.core.words.empty()) return;
    auto& line = draft_line(core_line);
    const auto name = core_migration_name(changes_.core, line.migrations.size() + 1);
    add_migration(line, own, core_migration(own, sql_, changes_.core, queues, name));
  }

  void add_line(renderer& own, const contract::line_change& change) {
    auto& line = draft_line(change.line);
    line.state = change.after;
    const auto name = migration_name(change, line.migrations.size() + 1);
    add_migration(
        line, own,
        line_migration(own, sql_, change, changes_.core.enumerations_before, changes_.core.enumerations, name));
  }

  /// The line, which from here on has a draft.
  contract::line& draft_line(std::string_view name) {
    auto& lines = result_.lock.lines;
    const auto is_it = [&](const contract::line& line) { return line.name == name; };
    auto place = std::find_if(lines.begin(), lines.end(), is_it);
    if (place == lines.end()) {
      lines.push_back({std::string{name}, {}, {}, {}});
      place = lines.end() - 1;
    }
    place->released = contract::all_of(*place, changes_.released);
    return *place;
  }

  void add_migration(contract::line& line, renderer& own, const migration_text& migration) {
    auto text = spell(own, migration);
    const auto path = migration.name + ".sql";
    line.migrations.push_back({path.substr(line.name.size() + 1), contract::checksum(text)});
    result_.migrations.push_back({path, std::move(text)});
  }

  /// As they are applied: the core first, then the lines by name.
  void sort_migrations() {
    const auto key = [](const output_file& file) {
      return std::pair{!file.path.starts_with(fmt::format("{}/", core_line)), std::string_view{file.path}};
    };
    std::sort(result_.migrations.begin(), result_.migrations.end(),
              [&](const output_file& left, const output_file& right) { return key(left) < key(right); });
  }

  const declaration::project& project_;
  const contract::changes& changes_;
  const template_set& templates_;
  parts wanted_;
  sql_project sql_;
  std::string qualifier_;
  generation result_;
};

}  // namespace

std::vector<output_file> drafts_of(const contract::lock& lock) {
  std::vector<output_file> result;
  for (const auto& line : lock.lines) {
    if (!line.released) continue;
    for (auto i = line.released->migrations; i < line.migrations.size(); ++i) {
      result.push_back({fmt::format("{}/{}", line.name, line.migrations[i].file), line.migrations[i].checksum});
    }
  }
  return result;
}

generation generate(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                    parts wanted) {
  auto changes = contract::compare(project, lock);
  if (!changes.diagnostics.empty()) return {{}, {}, {}, {}, {}, std::move(changes.diagnostics)};
  auto result = generator{project, changes, templates, wanted}.run();
  result.drafts_before = drafts_of(lock);
  return result;
}

generation retire(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                  const std::string& queue) {
  auto retired = contract::retire(lock, queue);
  const auto is_it = [&](const contract::line& line) { return line.name == queue; };
  const auto line = std::find_if(retired.lines.begin(), retired.lines.end(), is_it);
  const auto name = fmt::format("{}/{:04}_retire_v{}", queue, line->migrations.size() + 1,
                                contract::live(contract::find_line(lock, queue)->state.contracts).front()->version);
  renderer own{templates};
  auto text = spell(own, retirement(own, {project.name, project.schema}, contract::find_line(lock, queue)->state,
                                    line->state, lock.enumerations, name));
  const auto path = name + ".sql";
  line->migrations.push_back({path.substr(queue.size() + 1), contract::checksum(text)});
  auto result = generate(project, retired, templates, parts::all);
  result.migrations.push_back({path, std::move(text)});
  return result;
}

}  // namespace render
