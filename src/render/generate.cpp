#include "render/generate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "contract/diff.hpp"
#include "contract/sha256.hpp"
#include "render/cpp.hpp"
#include "render/parallel.hpp"
#include "render/renderer.hpp"
#include "render/views.hpp"

namespace render {

namespace {

using contract::core_line;

/// What one queue adds to the output.
struct queue_output {
  std::string header;
  std::string definition;
  std::string migration;  // only of a new queue
  std::string checksum;
};

class generator {
 public:
  generator(const declaration::project& project, const contract::lock& lock, const template_set& templates,
            parts wanted)
      : project_{project}, lock_{lock}, templates_{templates}, wanted_{wanted}, qualifier_{cpp::qualifier(project)} {
    for (const auto& queue : project.queues) {
      const auto version = contract::version_of(queue, lock);
      queues_.push_back({&queue, version, contract::fingerprint(contract::contract_of(queue, version))});
    }
  }

  generation run(const contract::changes& changes) && {
    render_queues(changes);
    renderer core{templates_};
    for (const auto& enumeration : project_.enumerations) add_enumeration(core, enumeration);
    if (wanted_ == parts::all) {
      add_core(core, changes);
      add_queue_lines();
      result_.lock_text = contract::write_lock(result_.lock);
    }
    std::sort(result_.files.begin(), result_.files.end(),
              [](const output_file& left, const output_file& right) { return left.path < right.path; });
    return std::move(result_);
  }

 private:
  void render_queues(const contract::changes& changes) {
    std::vector<queue_output> outputs(queues_.size());
    std::vector<bool> is_new(queues_.size());
    for (const auto* queue : changes.new_queues)
      is_new[static_cast<std::size_t>(queue - project_.queues.data())] = true;
    // The engine keeps state while it renders: each thread has its own.
    for_each_index(
        queues_.size(), [&] { return renderer{templates_}; },
        [&](renderer& own, std::size_t i) { outputs[i] = render_queue(own, queues_[i], is_new[i]); });
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      const auto& name = queues_[i].queue->name;
      add_header(name, std::move(outputs[i].header));
      if (wanted_ == parts::headers) continue;
      result_.files.push_back({fmt::format("sql/{}.sql", name), std::move(outputs[i].definition)});
      if (is_new[i]) new_lines_.push_back({&queues_[i], std::move(outputs[i].migration), outputs[i].checksum});
    }
  }

  queue_output render_queue(renderer& renderer, const versioned_queue& queue, bool is_new) const {
    queue_output result;
    result.header = renderer.header("queue", queue_header_view(project_, queue, qualifier_));
    if (wanted_ == parts::headers) return result;
    auto sql = renderer.open(sql_folder::queue, queue_view(project_, queue));
    result.definition = sql.file("definition");
    if (is_new) {
      result.migration = sql.file("migration");
      result.checksum = contract::checksum(result.migration);
    }
    return result;
  }

  void add_header(const std::string& name, std::string text) {
    result_.files.push_back({fmt::format("include/{}/{}.hpp", namespace_path(project_), name), std::move(text)});
  }

  void add_enumeration(renderer& renderer, const declaration::enumeration& enumeration) {
    add_header(enumeration.name, renderer.header("enum", enumeration_header_view(project_, enumeration)));
  }

  void add_core(renderer& renderer, const contract::changes& changes) {
    std::vector<const declaration::enumeration*> all;
    for (const auto& enumeration : project_.enumerations) all.push_back(&enumeration);
    auto present = renderer.open(sql_folder::core, core_view(project_, queues_, all, migration_name("0001_create")));
    result_.files.push_back({fmt::format("sql/{}.sql", core_line), present.file("definition")});

    result_.lock = lock_;
    result_.lock.project = project_.name;
    result_.lock.schema = project_.schema;
    for (const auto* enumeration : changes.new_enumerations) {
      result_.lock.enumerations.push_back(contract::locked(*enumeration));
    }
    sort_by_name(result_.lock.enumerations);
    if (changes.has_new_core) {
      result_.lock.lines.push_back({std::string{core_line}, {}, {}, {}});
      add_core_migration("0001_create", present.file("migration"));
    } else if (!changes.new_queues.empty() || !changes.new_enumerations.empty()) {
      const auto name = extension_name(changes);
      auto extension =
          renderer.open(sql_folder::core, core_view(project_, queues_, changes.new_enumerations, migration_name(name)));
      add_core_migration(name, extension.file("extension"));
    }
  }

  static std::string migration_name(std::string_view name) { return fmt::format("{}/{}", core_line, name); }

  /// `0002_add_webhooks`; what is added by the dozen is not listed.
  std::string extension_name(const contract::changes& changes) const {
    const auto number = contract::find_line(lock_, core_line)->migrations.size() + 1;
    const auto count = changes.new_queues.size() + changes.new_enumerations.size();
    if (count > 1) return fmt::format("{:04}_add_{}", number, changes.new_queues.empty() ? "enumerations" : "queues");
    const auto& name = changes.new_queues.empty() ? changes.new_enumerations[0]->name : changes.new_queues[0]->name;
    return fmt::format("{:04}_add_{}", number, name);
  }

  void add_core_migration(std::string_view name, std::string text) {
    const auto is_core = [](const contract::line& line) { return line.name == core_line; };
    const auto core = std::find_if(result_.lock.lines.begin(), result_.lock.lines.end(), is_core);
    const auto file = fmt::format("{}.sql", name);
    core->migrations.push_back({file, contract::checksum(text)});
    result_.migrations.push_back({fmt::format("{}/{}", core_line, file), std::move(text)});
  }

  void add_queue_lines() {
    std::sort(new_lines_.begin(), new_lines_.end(), [](const new_line& left, const new_line& right) {
      return left.queue->queue->name < right.queue->queue->name;
    });
    for (auto& [queue, text, checksum] : new_lines_) {
      const auto& declared = *queue->queue;
      result_.lock.lines.push_back({declared.name,
                                    {contract::contract_of(declared, queue->version)},
                                    contract::options_of(declared),
                                    {{"0001_create.sql", checksum}}});
      result_.migrations.push_back({declared.name + "/0001_create.sql", std::move(text)});
    }
    sort_by_name(result_.lock.lines);
  }

  template <class Item>
  static void sort_by_name(std::vector<Item>& items) {
    std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) { return left.name < right.name; });
  }

  struct new_line {
    const versioned_queue* queue;
    std::string text;
    std::string checksum;
  };

  const declaration::project& project_;
  const contract::lock& lock_;
  const template_set& templates_;
  parts wanted_;
  std::string qualifier_;
  std::vector<versioned_queue> queues_;
  std::vector<new_line> new_lines_;
  generation result_;
};

}  // namespace

generation generate(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                    parts wanted) {
  auto changes = contract::compare(project, lock);
  if (!changes.diagnostics.empty()) return {{}, {}, {}, {}, std::move(changes.diagnostics)};
  return generator{project, lock, templates, wanted}.run(changes);
}

}  // namespace render
