#include "render/artefacts.hpp"

#include <filesystem>
#include <utility>

#include "render/generated_files.hpp"
#include "render/migration_files.hpp"

namespace render {

namespace fs = std::filesystem;

output::output(output_directories where, parts wanted, access how) : where_{std::move(where)}, wanted_{wanted} {
  if (how == access::read) return;
  file_system::make_directory(where_.generated);
  if (wanted_ == parts::all) {
    file_system::make_directory(where_.migrations);
    locks_.emplace_back(where_.migrations);
    if (fs::equivalent(where_.migrations, where_.generated)) return;
  }
  locks_.emplace_back(where_.generated);
}

text::source output::read_lock() const {
  const auto file = where_.migrations / lock_name;
  return {file.string(), file_system::read(file).value_or("")};
}

comparison output::compare(const generation& wanted) const {
  comparison result;
  if (wanted_ == parts::all) compare_migrations(wanted, where_.migrations, result);
  compare_generated(wanted, where_.generated, wanted_, result);
  return result;
}

void output::write(const generation& wanted, const comparison& differences) const {
  if (wanted_ == parts::all) write_migrations(differences, where_.migrations);
  write_generated(wanted, differences, where_.generated, wanted_);
  // Last of all: until then, the next run finds migrations without an entry, compares them and adds what is missing.
  if (wanted_ == parts::all && !differences.migrations.empty()) {
    const auto& last = differences.migrations.back();
    if (last.text == &wanted.lock_text) file_system::write(last.file, *last.text);
  }
}

}  // namespace render
