#include "check/made_project.hpp"

#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "check/check.hpp"
#include "declaration/read.hpp"
#include "render/artefacts.hpp"
#include "support/files.hpp"

namespace test {

namespace fs = std::filesystem;

namespace {

constexpr const char* declaration = R"([project]
name = "shop"

[enums.channel]
values = ["email", "sms"]

[queues.email.payload]
order_id = "int64"
channel = "channel"

[queues.sms]
payload = "jsonb"
)";

void write_file(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << text;
}

std::string unescaped(const std::string& text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      made += text[i];
    } else if (text[++i] == 'x') {
      made += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      made += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i] == '0' ? '\0' : text[i];
    }
  }
  return made;
}

std::string replaced(std::string text, const std::string& rules) {
  std::istringstream lines{rules};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t arrow = line.find(" => ");
    const std::string old = unescaped(line.substr(0, arrow));
    const std::size_t at = text.find(old);
    if (arrow == std::string::npos || at == std::string::npos) throw std::runtime_error{"no such text: " + line};
    text.replace(at, old.size(), unescaped(line.substr(arrow + 4)));
  }
  return text;
}

}  // namespace

made_project::made_project() : made_project{declaration} {}

made_project::made_project(const std::string& text) {
  std::string name = "/tmp/quern-check-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary directory"};
  root_ = name;
  generate(text);
}

made_project::~made_project() {
  fs::remove_all(root_);
}

void made_project::generate(const std::string& text) const {
  write("quern.toml", text);
  const render::output output{
      {root_ / "generated", root_ / "migrations"}, render::parts::all, render::output::access::write};
  const auto read = declaration::read({"quern.toml", text});
  static const auto templates = render::check_templates(render::load_templates(std::nullopt));
  const auto lock = output.read_lock();
  const auto before = lock.content.empty() ? contract::lock{} : contract::read_lock(lock).value;
  const auto drafted = render::generate(read.declared.value(), before, templates, render::parts::all);
  output.write(drafted, output.compare(drafted));
  const auto released = render::generate(read.declared.value(), contract::with_drafts_released(drafted.lock), templates,
                                         render::parts::all);
  output.write(released, output.compare(released));
}

void made_project::write(const fs::path& file, const std::string& text) const {
  write_file(root_ / file, text);
}

std::string made_project::read(const fs::path& file) const {
  return content_of(root_ / file);
}

void made_project::change(const fs::path& changes) const {
  for (const auto& entry : fs::recursive_directory_iterator{changes}) {
    if (!entry.is_regular_file()) continue;
    fs::path file = entry.path().lexically_relative(changes);
    const std::string how = file.extension().string();
    const std::string text = content_of(entry.path());
    if (how != ".append" && how != ".remove" && how != ".replace" && how != ".rename") {
      write(file, text);
      continue;
    }
    file.replace_extension();
    if (how == ".append") write(file, read(file) + unescaped(text));
    if (how == ".replace") write(file, replaced(read(file), text));
    if (how == ".remove") fs::remove(root_ / file);
    if (how == ".rename") fs::rename(root_ / file, root_ / file.parent_path() / text.substr(0, text.find('\n')));
  }
}

/// Files are named from the project's root on, as for a caller who stands in it.
check::report made_project::check(const std::optional<check::base>& against) const {
  const fs::path before = fs::current_path();
  fs::current_path(root_);
  constexpr std::chrono::sys_days today = std::chrono::year{2026} / std::chrono::June / 1;
  auto found = check::check_project({"quern.toml", "migrations", "generated"}, against, today);
  fs::current_path(before);
  return found;
}

}  // namespace test
