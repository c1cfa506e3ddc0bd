// Runs of the program quern.

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "cluster/process.hpp"
#include "crew.hpp"
#include "scene.hpp"

namespace bench {

program_run run_quern(const scene& where, const std::vector<std::string>& arguments) {
  check_interrupt();
  const cluster::account caller{.user = geteuid(), .group = getegid(), .name = {}};
  const auto begin = clock::now();
  const cluster::outcome done = cluster::run(caller, {where.program, arguments});
  const std::chrono::duration<double> taken = clock::now() - begin;
  check_interrupt();
  return {.exit_code = done.exit_code, .seconds = taken.count(), .output = done.output};
}

double quern_seconds(const scene& where, const std::vector<std::string>& arguments, int expected) {
  const program_run done = run_quern(where, arguments);
  if (done.exit_code != expected)
    throw std::runtime_error{fmt::format("quern {} ended with exit code {} and not {}:\n{}", fmt::join(arguments, " "),
                                         done.exit_code, expected, done.output)};
  return done.seconds;
}

}  // namespace bench
