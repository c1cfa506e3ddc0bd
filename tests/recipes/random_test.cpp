// Declarations that change at random: whatever was released before, the next one can be generated, and says the same
// when it is generated again.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "contract/queue_names.hpp"
#include "contract/retirement.hpp"
#include "contract/storage.hpp"
#include "declaration/read.hpp"
#include "recipes/random_project.hpp"
#include "recipes/recipe.hpp"
#include "support/catch.hpp"
#include "support/places.hpp"
#include "text/diagnostic.hpp"

namespace {

const render::template_set& short_templates() {
  static const auto checked = test::templates(test::source_dir() / "tests/recipes/templates");
  return checked;
}

render::generation generate(const declaration::project& declared, const contract::lock& lock) {
  return render::generate(declared, lock, short_templates(), render::parts::all);
}

void check_same(const render::generation& a, const render::generation& b) {
  const auto is_same = [](const render::output_file& left, const render::output_file& right) {
    return left.path == right.path && left.text == right.text;
  };
  CHECK(a.lock_text == b.lock_text);
  CHECK(std::equal(a.migrations.begin(), a.migrations.end(), b.migrations.begin(), b.migrations.end(), is_same));
  CHECK(std::equal(a.files.begin(), a.files.end(), b.files.begin(), b.files.end(), is_same));
}

/// Every live contract finds every field of its own in what every other one has written, or says that it cannot.
void check_storage(const std::vector<contract::payload_contract>& contracts) {
  const auto columns = contract::columns_of(contracts);
  const auto type_of = [&](const std::string& name) {
    const auto is_it = [&](const contract::stored_column& column) { return column.name == name; };
    REQUIRE(std::count_if(columns.begin(), columns.end(), is_it) == 1);
    return std::find_if(columns.begin(), columns.end(), is_it)->type;
  };
  for (const auto* reader : contract::live(contracts)) {
    for (const auto& field : reader->fields) {
      for (const auto* writer : contract::live(contracts)) {
        const auto how = contract::convert(contracts, *reader, field, *writer);
        CHECK(type_of(how.column) == how.from_type);
        // No random change is a break.
        CHECK(how.is_possible);
        if (reader == writer) CHECK((how.is_plain() && how.column == field.column));
      }
    }
  }
}

class history {
 public:
  explicit history(std::uint32_t seed) : project_{seed} { generate_again(); }

  void step() {
    words_ += project_.change() + "; ";
    generate_again();
    if (project_.below(3) == 0) release();
    if (project_.below(4) == 0) retire();
  }

 private:
  void generate_again() {
    const text::source source{"quern.toml", project_.declaration()};
    INFO(words_ << "\n" << source.content);
    const auto read = declaration::read(source);
    INFO(text::spell(read.problems, source));
    REQUIRE(read.declared);
    declared_ = *read.declared;
    const auto made = generate(declared_, lock_);
    INFO(text::spell(made.diagnostics, source));
    REQUIRE(made.diagnostics.empty());
    check_same(made, generate(declared_, contract::without_drafts(lock_)));
    check_same(made, generate(declared_, made.lock));
    const auto read_again = contract::read_lock({"quern.lock", made.lock_text});
    REQUIRE(read_again.diagnostics.empty());
    CHECK(read_again.value == made.lock);
    if (!lock_.lines.empty()) CHECK(contract::without_drafts(made.lock) == contract::without_drafts(lock_));
    lock_ = made.lock;
    for (const auto& line : lock_.lines) {
      if (!line.state.is_dropped && line.name != contract::core_line) check_storage(line.state.contracts);
    }
  }

  void release() {
    words_ += "release; ";
    lock_ = contract::with_drafts_released(lock_);
    project_.release();
    INFO(words_ << "\n" << project_.declaration());
    const auto read = declaration::read({"quern.toml", project_.declaration()});
    REQUIRE(read.declared);
    const auto made = generate(*read.declared, lock_);
    REQUIRE(made.diagnostics.empty());
    CHECK(made.migrations.empty());
    CHECK(made.lock == lock_);
  }

  void retire() {
    // Before a release a rename takes the line along.
    const auto& queue = declared_.queues.front().name;
    const auto alive = contract::live(contract::find_queue(lock_, queue)->state.contracts);
    if (!contract::why_not_retire(lock_, queue, alive.front()->version).empty()) return;
    words_ += fmt::format("retire v{}; ", alive.front()->version);
    INFO(words_);
    const auto made = render::retire(declared_, lock_, short_templates(), queue);
    REQUIRE(made.diagnostics.empty());
    lock_ = made.lock;
    generate_again();
  }

  test::random_project project_;
  contract::lock lock_{};
  declaration::project declared_{};
  std::string words_{};
};

}  // namespace

TEST_CASE("whatever changes beside what is released can be generated, and is the same when it is generated again") {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    history one{seed};
    const auto steps = 1 + seed % 12;
    for (std::uint32_t i = 0; i < steps; ++i) one.step();
  }
}
