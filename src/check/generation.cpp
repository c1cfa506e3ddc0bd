#include "check/generation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "render/file_system.hpp"
#include "render/generate.hpp"
#include "render/manifest.hpp"
#include "render/migration_files.hpp"
#include "render/parallel.hpp"
#include "render/templates.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view run_generate = "run `quern generate` and commit what it writes";

class generated_check {
 public:
  generated_check(const project& of, report& found) : of_{of}, found_{found} {}

  project_objects run() {
    project_objects ours;
    if (of_.declared) ours.schema = of_.declared->schema;
    if (!of_.declared || !of_.lock) return ours;
    const auto templates = render::check_templates(render::load_templates(of_.where.templates));
    for (const auto& [source, diagnostics] : templates.problems) report_template(source, diagnostics);
    if (!templates.problems.empty()) return ours;
    made_ = render::generate(*of_.declared, *of_.lock, templates, render::parts::all,
                             render::read_history(of_.where.migrations, *of_.lock, templates));
    const std::string declaration = of_.declaration_source->name;
    for (const text::diagnostic& one : made_.diagnostics) found_.add(name::contracts, declaration, one);
    if (!made_.diagnostics.empty()) return ours;
    // What lacks a migration lacks more; that follows from it.
    if (compare_migrations()) {
      compare_files();
      find_left_over();
    }
    for (const render::output_file& one : made_.files)
      if (one.path.starts_with("sql/")) add_objects(ours, one.text);
    return ours;
  }

 private:
  void report_template(const text::source& source, const std::vector<text::diagnostic>& diagnostics) {
    found_.sources.emplace(source.name, source);
    for (const text::diagnostic& one : diagnostics) found_.add(name::generated, source.name, one);
  }

  bool compare_migrations() {
    // What it would say of the migrations without it is of no use.
    if (!of_.lock_source && render::has_migrations(of_.where.migrations)) {
      found_.add(
          name::generated, (of_.where.migrations / "quern.lock").string(),
          problem("lock_outdated", "there is no lock beside the migrations", "take it from version control again"));
      return false;
    }
    const std::string declaration = of_.declaration_source->name;
    bool is_missing = false;
    for (const render::output_file& one : made_.migrations) {
      const auto there = render::file_system::read(of_.where.migrations / one.path);
      if (there && *there == one.text) continue;
      is_missing = true;
      found_.add(name::generated, declaration,
                 problem("not_generated",
                         fmt::format("the declaration asks for {}, which is not written",
                                     (of_.where.migrations / one.path).string()),
                         std::string{run_generate}));
    }
    if (is_missing) return false;
    // A lock that quern would write another way is told as such.
    if (of_.lock_source && made_.lock_text == contract::write_lock(*of_.lock)) return true;
    found_.add(name::generated, (of_.where.migrations / "quern.lock").string(),
               problem("lock_outdated", "the lock is not what the declaration gives", std::string{run_generate}));
    return true;
  }

  void compare_files() {
    std::vector<std::optional<text::diagnostic>> problems(made_.files.size());
    std::vector<std::string> contents(made_.files.size());
    render::for_each_index(
        made_.files.size(), [] { return 0; },
        [&](int, std::size_t i) { problems[i] = compare_file(made_.files[i], contents[i]); });
    for (std::size_t i = 0; i < problems.size(); ++i) {
      if (!problems[i]) continue;
      const std::string file = (of_.where.generated / made_.files[i].path).string();
      found_.sources.emplace(file, text::source{file, std::move(contents[i])});
      found_.add(name::generated, file, *std::move(problems[i]));
    }
  }

  std::optional<text::diagnostic> compare_file(const render::output_file& wanted, std::string& content) const {
    auto there = render::file_system::read(of_.where.generated / wanted.path);
    if (!there) return problem("generated_missing", "the generated file is missing", std::string{run_generate});
    if (*there == wanted.text) return std::nullopt;
    content = *std::move(there);
    const auto [at, other] = std::ranges::mismatch(content, wanted.text);
    const text::line_index lines{content};
    const std::size_t line = lines.position_of(static_cast<std::size_t>(at - content.begin())).line;
    return problem("generated_differs", "this is not what the declaration gives, from here on",
                   std::string{run_generate}, {{line, 1}, {line, lines.line(line).size() + 1}});
  }

  void find_left_over() {
    const fs::path file = of_.where.generated / ".quern-files";
    const auto content = render::file_system::read(file);
    if (!content) return;
    for (const auto& [path, checksum] : render::read_manifest(*content, file)) {
      if (std::ranges::binary_search(made_.files, path, {}, &render::output_file::path) ||
          !fs::is_regular_file(of_.where.generated / path))
        continue;
      found_.add(name::generated, (of_.where.generated / path).string(),
                 problem("generated_left_over", "nothing in the declaration gives this file any more",
                         "`quern generate` removes it"));
    }
  }

  const project& of_;
  report& found_;
  render::generation made_;
};

}  // namespace

project_objects check_generated(const project& of, report& found) {
  return generated_check{of, found}.run();
}

}  // namespace check
