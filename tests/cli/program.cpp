#include "cli/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "cluster/server.hpp"
#include "contract/lock.hpp"
#include "support/places.hpp"

extern "C" char** environ;

namespace test {

namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const bool is_ours =
        variable.starts_with("PG") || variable.starts_with("QUERN_") || variable.starts_with("GITHUB_");
    if (!is_ours && !added.contains(std::string{variable.substr(0, variable.find('='))})) all.emplace_back(variable);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (std::string& text : texts) made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

}  // namespace

desk::desk() {
  std::string name = "/tmp/quern-desk-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary directory"};
  chmod(name.c_str(), 0755);
  root_ = name;
}

desk::~desk() {
  cluster::destroy(root_ / ".quern");
  fs::remove_all(root_);
}

void desk::write(const fs::path& name, const std::string& text) const {
  fs::create_directories((root_ / name).parent_path());
  std::ofstream{root_ / name, std::ios::binary} << text;
}

std::string desk::read(const fs::path& name) const {
  return contents(root_ / name);
}

void desk::generate(const std::vector<std::string>& queues) const {
  std::string declaration = "[project]\nname = \"shop\"\n";
  for (const std::string& name : queues)
    declaration += fmt::format("[queues.{}]\npayload = {{ order_id = \"int64\" }}\n", name);
  write("quern.toml", declaration);
  const outcome made = quern({"generate"});
  if (made.exit_code != 0) throw std::runtime_error{made.err};
  release();
}

void desk::release() const {
  const auto drafts = contract::read_lock({"quern.lock", read("migrations/quern.lock")});
  if (!drafts.diagnostics.empty()) throw std::runtime_error{drafts.diagnostics.front().message};
  write("migrations/quern.lock", contract::write_lock(contract::with_drafts_released(drafts.value)));
}

outcome desk::quern(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
                    const std::string& input) const {
  std::vector<std::string> words{program().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run(std::move(words), environment, input);
}

outcome desk::run(std::vector<std::string> words, const std::map<std::string, std::string>& environment,
                  const std::string& input) const {
  std::vector<std::string> variables = environment_with(environment);
  const std::vector<char*> word_pointers = pointers(words);
  const std::vector<char*> variable_pointers = pointers(variables);
  const std::string out = (root_ / ".out").string();
  const std::string err = (root_ / ".err").string();
  // A file without a name: nothing of it is left beside those of the program.
  const int in_file = memfd_create("input", MFD_CLOEXEC);
  if (in_file < 0 || ::write(in_file, input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
      lseek(in_file, 0, SEEK_SET) != 0)
    throw std::system_error{errno, std::generic_category(), "the input of a program"};
  const pid_t child = fork();
  if (child == 0) {
    const int out_file = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_file = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (dup2(in_file, 0) == 0 && dup2(out_file, 1) == 1 && dup2(err_file, 2) == 2 && chdir(root_.c_str()) == 0)
      execvpe(words.front().c_str(), word_pointers.data(), variable_pointers.data());
    _exit(127);
  }
  close(in_file);
  int state = 0;
  waitpid(child, &state, 0);
  return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), contents(out), contents(err)};
}

}  // namespace test
