#include "cli/running_call.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

#include "support/places.hpp"

namespace test {
namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

int number_of_call = 0;

}  // namespace

running_call::running_call(const desk& at, std::vector<std::string> arguments,
                           const std::map<std::string, std::string>& environment)
    : out_{at.root() / fmt::format(".running-{}.out", ++number_of_call)},
      err_{at.root() / fmt::format(".running-{}.err", number_of_call)} {
  arguments.insert(arguments.begin(), program().string());
  std::vector<char*> words;
  for (std::string& one : arguments) words.push_back(one.data());
  words.push_back(nullptr);
  process_ = fork();
  if (process_ != 0) return;
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  const int in_file = open("/dev/null", O_RDONLY);
  const int out_file = open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_file = open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (dup2(in_file, 0) == 0 && dup2(out_file, 1) == 1 && dup2(err_file, 2) == 2 && chdir(at.root().c_str()) == 0)
    execv(words.front(), words.data());
  _exit(127);
}

running_call::~running_call() {
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

void running_call::signal(int which) const {
  kill(process_, which);
}

outcome running_call::end() {
  int state = 0;
  waitpid(std::exchange(process_, 0), &state, 0);
  return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), contents(out_), contents(err_)};
}

}  // namespace test
