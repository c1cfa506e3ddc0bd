#include "render/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "contract/diff.hpp"
#include "contract/queue_names.hpp"
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
  std::vector<output_file> former_headers;
  std::string definition;
  std::string migration_name;  // empty when nothing changes
  std::string migration;
  std::string checksum;
};

template <class Item>
void sort_by_name(std::vector<Item>& items) {
  std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) { return left.name < right.name; });
}

class generator {
 public:
  generator(const declaration::project& project, const contract::changes& changes, const template_set& templates,
            parts wanted, const migration_texts& history)
      : project_{project},
        changes_{changes},
        templates_{templates},
        wanted_{wanted},
        engine_{templates, changes.released, history},
        sql_{project.name, project.schema},
        qualifier_{cpp::qualifier(project)} {}

  generation run() && {
    result_.lock = changes_.released;
    result_.lock.project = project_.name;
    result_.lock.schema = project_.schema;
    result_.lock.enumerations = changes_.core.enumerations;
    result_.lock.schedules = changes_.core.schedules;
    renderer own{templates_};
    render_queues();
    for (const auto& enumeration : changes_.core.enumerations) {
      add_header(enumeration.name,
                 own.header("enum", enumeration_header_view(sql_, project_.cpp_namespace, enumeration)));
    }
    if (wanted_ == parts::all) {
      add_core(own);
      add_lines(own);
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
    std::map<std::string_view, const contract::line_change*> changed;
    for (const auto& change : changes_.lines) changed.emplace(change.line, &change);
    outputs_.resize(queues.size());
    // The engine keeps state while it renders: each thread has its own.
    for_each_index(
        queues.size(), [&] { return renderer{templates_}; },
        [&](renderer& own, std::size_t i) {
          const auto& line = changes_.queue_lines[i];
          const auto change = changed.find(line);
          outputs_[i] = render_queue(own, line, change == changed.end() ? nullptr : change->second);
        });
    for (std::size_t i = 0; i < queues.size(); ++i) {
      add_header(queues[i].name, std::move(outputs_[i].header));
      for (auto& [name, text] : outputs_[i].former_headers) add_header(name, std::move(text));
      if (wanted_ == parts::headers) continue;
      result_.files.push_back({fmt::format("sql/{}.sql", queues[i].name), std::move(outputs_[i].definition)});
    }
  }

  queue_output render_queue(renderer& own, const std::string& name, const contract::line_change* change) const {
    const auto* line = contract::find_line(changes_.released, name);
    const auto model =
        model_of(sql_, name, change != nullptr ? change->after : line->state, changes_.core.enumerations);
    queue_output result;
    result.header =
        own.header(contract::kind_of(*model.state), queue_header_view(model, project_.cpp_namespace, qualifier_));
    for (const auto& former : model.names) {
      if (former == model.name()) continue;
      result.former_headers.push_back(
          {former, own.header("former", former_header_view(model, project_.cpp_namespace, former))});
    }
    if (wanted_ == parts::headers) return result;
    rendered_queue rendered{own, model};
    result.definition = rendered.file("definition");
    if (change == nullptr) return result;
    const auto wanted_name = name_of(*change, line);
    auto migration = line_migration(own, *change, rendered, changes_.core.enumerations_before, wanted_name);
    begin_with_engine(own, *change, migration);
    // The engines make the same of it.
    if (migration.steps.empty()) return result;
    result.migration_name = wanted_name;
    result.migration = spell(own, migration);
    result.checksum = contract::checksum(result.migration);
    return result;
  }

  std::string name_of(const contract::line_change& change, const contract::line* line) const {
    return migration_name(change, line == nullptr ? 1 : line->migrations.size() + 1, templates_.engine());
  }

  /// What else a migration does is rendered by the present templates, and counts on what they make.
  void begin_with_engine(renderer& own, const contract::line_change& change, migration_text& migration) const {
    if (change.engine >= templates_.engine() || change.before.contracts.empty() || change.before.is_dropped) return;
    const auto model = model_of(sql_, change.line, change.before, changes_.core.enumerations_before);
    add_engine(migration, engine_.steps(own, model), change.engine,
               fmt::format("{} {}", contract::kind_of(*model.state), change.line));
  }

  void add_engine(migration_text& migration, std::vector<migration_step> steps, int from,
                  const std::string& whose) const {
    if (steps.empty()) return;
    migration.words.push_back(
        fmt::format("Brings {} to engine {}: it has what a new install has.", whose, templates_.engine()));
    for (auto& word : engine_.words(from)) migration.words.push_back(std::move(word));
    migration.steps.insert(migration.steps.begin(), std::make_move_iterator(steps.begin()),
                           std::make_move_iterator(steps.end()));
  }

  void add_header(const std::string& name, std::string text) {
    result_.files.push_back(
        {fmt::format("include/{}/{}.hpp", namespace_path(project_.cpp_namespace), name), std::move(text)});
  }

  void add_core(renderer& own) {
    line_names lines;
    const auto add = [&](const std::string& line) {
      const auto& state = state_after(line);
      auto& into = contract::is_stream(state) ? lines.streams : lines.queues;
      into.push_back(contract::doors_of(line, state));
    };
    for (const auto& line : changes_.queue_lines) add(line);
    // What programs of the first stream have called stays when the last one goes.
    for (const auto& line : changes_.released.lines) {
      const auto& kept = changes_.queue_lines;
      if (line.name != core_line && std::find(kept.begin(), kept.end(), line.name) == kept.end()) add(line.name);
    }
    lines.schedules = changes_.core.schedules;
    auto present = own.open(sql_folder::core, core_view(sql_, lines, changes_.core.enumerations));
    result_.files.push_back({fmt::format("sql/{}.sql", core_line), present.file("definition")});
    const auto* known = contract::find_line(changes_.released, core_line);
    const auto name =
        core_migration_name(changes_.core, known == nullptr ? 1 : known->migrations.size() + 1, templates_.engine());
    auto migration = core_migration(own, sql_, changes_.core, lines, name);
    keep_doors_of_the_used(own, migration);
    if (!changes_.core.is_new)
      add_engine(migration, engine_.core_steps(own, sql_, changes_.core), changes_.core.engine,
                 "what all queues share");
    if (migration.steps.empty()) return take_engine(core_line);
    add_migration(draft_line(core_line), spell(own, migration), name);
  }

  /// What is refused to be dropped keeps its untyped doors: the doors that lack it come first, with the same guards.
  void keep_doors_of_the_used(renderer& own, migration_text& migration) const {
    const auto doors = std::ranges::find(migration.steps, doors_step, &migration_step::name);
    if (doors == migration.steps.end()) return;
    for (const auto& change : changes_.lines) {
      if (!change.after.is_dropped || change.before.is_dropped) continue;
      doors->text = joined({removal_guards(own, sql_, change, changes_.core.enumerations_before), doors->text});
    }
  }

  /// Where no object differs, nothing but the number changes, and nothing is drafted.
  void take_engine(std::string_view name) {
    const auto* known = contract::find_line(changes_.released, name);
    result_.lock.lines[static_cast<std::size_t>(known - changes_.released.lines.data())].engine = templates_.engine();
  }

  const contract::queue_state& state_after(const std::string& line) const {
    const auto is_it = [&](const contract::line_change& change) { return change.line == line; };
    const auto change = std::find_if(changes_.lines.begin(), changes_.lines.end(), is_it);
    return change != changes_.lines.end() ? change->after : contract::find_line(changes_.released, line)->state;
  }

  void add_lines(renderer& own) {
    std::map<std::string_view, queue_output*> rendered;
    for (auto& output : outputs_) {
      if (!output.migration_name.empty()) rendered.emplace(line_of(output.migration_name), &output);
    }
    for (const auto& change : changes_.lines) {
      const auto output = rendered.find(change.line);
      if (output == rendered.end() && changes_engine_only(change)) {
        take_engine(change.line);
        continue;
      }
      auto& line = draft_line(change.line);
      line.state = change.after;
      if (output != rendered.end()) {
        add_migration(line, output->second->migration_name, std::move(output->second->migration),
                      output->second->checksum);
      } else {
        const auto name = name_of(change, &line);
        auto migration = removal(own, sql_, change, changes_.core.enumerations_before, name);
        begin_with_engine(own, change, migration);
        add_migration(line, spell(own, migration), name);
      }
    }
  }

  static std::string_view line_of(std::string_view migration) { return migration.substr(0, migration.find('/')); }

  /// The line, which from here on has a draft. What is new stands behind the others until all is there.
  contract::line& draft_line(std::string_view name) {
    const auto* known = contract::find_line(changes_.released, name);
    auto& lines = result_.lock.lines;
    if (known == nullptr) lines.push_back({std::string{name}, {}, {}, {}});
    auto& line =
        known == nullptr ? lines.back() : lines[static_cast<std::size_t>(known - changes_.released.lines.data())];
    line.released = contract::all_of(line, changes_.released);
    line.engine = templates_.engine();
    return line;
  }

  void add_migration(contract::line& line, std::string text, const std::string& name) {
    const auto checksum = contract::checksum(text);
    add_migration(line, name, std::move(text), checksum);
  }

  void add_migration(contract::line& line, const std::string& name, std::string text, const std::string& checksum) {
    const auto path = name + ".sql";
    line.migrations.push_back({path.substr(line.name.size() + 1), checksum});
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
  engine_stage engine_;
  sql_project sql_;
  std::string qualifier_;
  std::vector<queue_output> outputs_;  // of the queues of the project
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
                    parts wanted, const migration_texts& history) try {
  auto changes = contract::compare(project, lock, templates.engine());
  if (!changes.diagnostics.empty()) return {{}, {}, {}, {}, {}, std::move(changes.diagnostics)};
  auto result = generator{project, changes, templates, wanted, history}.run();
  result.drafts_before = drafts_of(lock);
  return result;

} catch (engine_refused& refused) {
  return {{}, {}, {}, {}, {}, {std::move(refused.why)}};
}

generation retire(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                  const std::string& queue, const migration_texts& history) {
  auto retired = contract::retire(lock, queue);
  const auto& before = *contract::find_queue(lock, queue);
  const auto is_it = [&](const contract::line& line) { return line.name == before.name; };
  const auto line = std::find_if(retired.lines.begin(), retired.lines.end(), is_it);
  const auto name = fmt::format("{}/{:04}_retire_v{}", line->name, line->migrations.size() + 1,
                                contract::live(before.state.contracts).front()->version);
  renderer own{templates};
  auto text =
      spell(own, retirement(own, {project.name, project.schema}, before.state, line->state, lock.enumerations, name));
  const auto path = name + ".sql";
  line->migrations.push_back({path.substr(line->name.size() + 1), contract::checksum(text)});
  auto result = generate(project, retired, templates, parts::all, history);
  result.migrations.push_back({path, std::move(text)});
  return result;
}

}  // namespace render
