#include "cluster/initialise.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cluster/error.hpp"
#include "cluster/file_lock.hpp"
#include "cluster/process.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

// Sorting by code point everywhere; C.UTF-8 knows letters outside ASCII besides, where the system has it.
const char* best_locale() {
  const locale_t found = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
  if (found == nullptr) return "C";
  freelocale(found);
  return "C.UTF-8";
}

void run_initdb(const fs::path& data, const binaries& programs, const account& owner, bool is_throw_away) {
  command initdb{programs.directory / "initdb",
                 {"--pgdata", data.string(), "--encoding=UTF8", fmt::format("--locale={}", best_locale()),
                  "--auth=trust", "--username=postgres", "--no-instructions"}};
  if (is_throw_away) initdb.arguments.insert(initdb.arguments.end(), {"--no-sync", "--wal-segsize=1"});
  const outcome result = run(owner, initdb);
  if (result.exit_code != 0)
    throw error{fmt::format("initdb failed (exit code {}):\n{}", result.exit_code, result.output)};
}

// An initdb whose caller was killed may still be at it: it fails when its directory goes, and no other one has its
// name.
void remove_unfinished(const fs::path& data) {
  const std::string prefix = data.filename().string() + ".new";
  std::vector<fs::path> left;
  for (const fs::directory_entry& entry : fs::directory_iterator{data.parent_path()})
    if (entry.path().filename().string().starts_with(prefix)) left.push_back(entry.path());
  for (const fs::path& one : left) fs::remove_all(one);
}

// Builds next to the final name and renames at the end: what a kill leaves behind is never taken for a cluster.
template <class Build>
void build_whole(const fs::path& data, const account& owner, Build build) {
  remove_unfinished(data);
  const fs::path unfinished = fmt::format("{}.new.{}", data.string(), getpid());
  make_private_directory(owner, unfinished);
  try {
    build(unfinished);
    fs::remove_all(data);
    fs::rename(unfinished, data);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    throw;
  }
}

// One a user and installation: another path may be another build.
fs::path template_directory(const binaries& programs, const account& owner) {
  std::string name = fmt::format("quern-template-{}-{}{}", owner.user, programs.major, programs.directory.string());
  std::ranges::replace(name, '/', '-');
  return fs::path{"/tmp"} / name;
}

// Nothing when it could not be made: then each cluster is made anew, which is slow but as good.
std::optional<fs::path> template_data(const binaries& programs, const account& owner) {
  const fs::path directory = template_directory(programs, owner);
  try {
    make_private_directory(owner, directory);
    const file_lock alone{directory / "lock"};
    const fs::path data = directory / "data";
    if (!fs::exists(data / "PG_VERSION"))
      build_whole(data, owner, [&](const fs::path& unfinished) { run_initdb(unfinished, programs, owner, true); });
    return data;
  } catch (const error&) {
    return std::nullopt;
  }
}

void copy_template(const fs::path& from, const fs::path& to, const account& owner) {
  const outcome copy = run(owner, {"/bin/cp", {"-Rp", from.string() + "/.", to.string()}});
  if (copy.exit_code != 0) throw error{fmt::format("copying {} failed:\n{}", from.string(), copy.output)};
}

}  // namespace

void initialise(const place& where, const binaries& programs, const account& owner, bool is_throw_away) {
  if (where.is_data_elsewhere) make_private_directory(owner, where.data.parent_path());
  const std::optional<fs::path> finished = is_throw_away ? template_data(programs, owner) : std::nullopt;
  build_whole(where.data, owner, [&](const fs::path& unfinished) {
    if (finished)
      copy_template(*finished, unfinished, owner);
    else
      run_initdb(unfinished, programs, owner, is_throw_away);
  });
}

}  // namespace cluster
