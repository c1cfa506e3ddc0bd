#include "render/workplace.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "declaration/read.hpp"
#include "support/catch.hpp"

namespace test {

namespace fs = std::filesystem;

workplace::workplace() {
  auto name = (fs::temp_directory_path() / "quern test XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  root_ = name;
}

workplace::~workplace() {
  fs::permissions(root_, fs::perms::owner_all);
  fs::remove_all(root_);
}

std::string workplace::read(const fs::path& path) const {
  std::ifstream in{root_ / path, std::ios::binary};
  INFO(path.string());
  REQUIRE(in);
  return {std::istreambuf_iterator<char>{in}, {}};
}

void workplace::write(const fs::path& path, const std::string& content) const {
  fs::create_directories((root_ / path).parent_path());
  std::ofstream{root_ / path, std::ios::binary} << content;
}

render::output workplace::open(render::parts wanted) const {
  return {{root_ / "generated", root_ / "migrations"}, wanted, render::output::access::write};
}

render::generation workplace::generation(const render::output& output, const std::string& queues,
                                         render::parts wanted) const {
  const auto read = declaration::read({"quern.toml", "[project]\nname = \"shop\"\n" + queues});
  REQUIRE(read.problems.empty());
  const auto source = output.read_lock();
  contract::lock lock;
  if (!source.content.empty()) {
    auto known = contract::read_lock(source);
    REQUIRE(known.diagnostics.empty());
    lock = known.value;
  }
  return render::generate(*read.declared, lock, templates(), wanted);
}

names workplace::generate(const std::string& queues, render::parts wanted) const {
  const auto output = open(wanted);
  const auto made = generation(output, queues, wanted);
  REQUIRE(made.diagnostics.empty());
  const auto differences = output.compare(made);
  for (const auto& problem : differences.problems) FAIL(problem.words);
  output.write(made, differences);
  std::vector<std::string> changed;
  for (const auto* changes : {&differences.migrations, &differences.generated}) {
    for (const auto& change : *changes) {
      changed.push_back(
          fmt::format("{}{}", change.text == nullptr ? "-" : "", change.file.lexically_relative(root_).string()));
    }
  }
  return changed;
}

void workplace::release() const {
  const auto read = contract::read_lock({"quern.lock", this->read("migrations/quern.lock")});
  REQUIRE(read.diagnostics.empty());
  write("migrations/quern.lock", contract::write_lock(contract::with_drafts_released(read.value)));
}

names workplace::problems(const std::string& queues, render::parts wanted) const {
  const auto output = open(wanted);
  const auto made = generation(output, queues, wanted);
  std::vector<std::string> words;
  for (const auto& problem : output.compare(made).problems) {
    words.push_back(problem.words.substr(root_.string().size() + 1));
  }
  return words;
}

std::map<std::string, std::string> workplace::tree() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator{root_}) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(root_).string()] = read(entry.path());
  }
  return files;
}

const render::template_set& workplace::templates() {
  static const auto checked = render::check_templates(render::load_templates({}));
  return checked;
}

}  // namespace test
