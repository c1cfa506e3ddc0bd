// quern adopt: calls what differs from the migrations intended.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/comparison.hpp"
#include "cli/migrations.hpp"
#include "cli/terminal.hpp"
#include "migrate/drift_adopted.hpp"
#include "migrate/error.hpp"

namespace cli {
namespace {

struct adopt_arguments {
  comparison_arguments compared{};
  std::vector<std::string> objects{};
  bool is_all = false;
  bool is_list = false;
  bool is_removal = false;
};

std::filesystem::path file_of(const adopt_arguments& given) {
  return given.compared.migrations / migrate::adoptions_file;
}

exit_code list(const adopt_arguments& given) {
  const migrate::adoptions adopted = migrate::read_adoptions(file_of(given));
  if (adopted.empty()) tell("nothing is adopted");
  for (const auto& [object, digest] : adopted)
    say(fmt::format("{} {}", object, dim(digest == "absent" ? "(absent)" : digest.substr(0, 12), stream::output)));
  return exit_code::done;
}

exit_code remove(const adopt_arguments& given) {
  migrate::adoptions adopted = migrate::read_adoptions(file_of(given));
  for (const std::string& object : given.objects)
    if (adopted.erase(object) == 0)
      throw failure{exit_code::input_wrong,
                    fmt::format("{} is not adopted: `quern adopt --list` says what is", object)};
  migrate::write_adoptions(file_of(given), adopted);
  for (const std::string& object : given.objects) say(fmt::format("{} is not adopted any more", object));
  return exit_code::done;
}

void check_objects(const std::vector<std::string>& wanted, const std::set<std::string>& different) {
  for (const std::string& object : wanted) {
    if (different.contains(object)) continue;
    const std::string others =
        different.empty() ? "nothing does" : fmt::format("what does:\n  {}", fmt::join(different, "\n  "));
    throw failure{exit_code::input_wrong, fmt::format("{} does not differ from the migrations; {}", object, others)};
  }
}

exit_code adopt(const adopt_arguments& given) {
  const drift found = compare_with_migrations(given.compared);
  migrate::adoptions adopted = migrate::read_adoptions(file_of(given));
  const migrate::judgement judged = migrate::judge(found.differences, adopted);
  std::set<std::string> different;
  for (const migrate::difference& one : found.differences) different.insert(one.object);
  check_objects(given.objects, different);
  std::set<std::string> told;
  for (const migrate::difference& one : judged.open) {
    if (!given.is_all && std::ranges::find(given.objects, one.object) == given.objects.end()) continue;
    adopted[one.object] = migrate::digest_of(one);
    if (told.insert(one.object).second) say(fmt::format("adopted {}", one.object));
  }
  if (told.empty())
    say("nothing to adopt");
  else
    migrate::write_adoptions(file_of(given), adopted);
  return exit_code::done;
}

exit_code run(const adopt_arguments& given) try {
  if (given.is_list) return list(given);
  if (given.is_removal) return remove(given);
  return adopt(given);

} catch (const migrate::error& refused) {
  throw failure{code_of(refused.why()), refused.what()};
}

// What an option cannot say of itself.
void check_words(const adopt_arguments& given) {
  const bool takes_objects = !given.is_all && !given.is_list;
  if (takes_objects && given.objects.empty())
    throw failure{exit_code::usage, "say which objects, as `quern drift` names them: quern adopt 'index email_note'"};
  if (!takes_objects && !given.objects.empty())
    throw failure{exit_code::usage, fmt::format("{} takes no objects", given.is_all ? "--all" : "--list")};
}

}  // namespace

void add_adopt(const command_line& program, exit_code& result) {
  const auto given = std::make_shared<adopt_arguments>();
  const command_line command = program.add_command(
      "adopt", "Accept what `quern drift` reports, until it changes again; written to migrations/adopted.json");
  command.add_option("OBJECT", given->objects, "As `quern drift` names it: 'column email_message.note'");
  add_options(command, given->compared);
  const command_option all = command.add_flag("--all", given->is_all, "Everything that differs now");
  const command_option list = command.add_flag("--list", given->is_list, "Say what is adopted; needs no database");
  const command_option removal =
      command.add_flag("--remove", given->is_removal, "Take the adoption of these objects back; needs no database");
  all.excludes(list).excludes(removal);
  list.excludes(removal);
  on_call(command, result, [given] {
    check_words(*given);
    return run(*given);
  });
}

}  // namespace cli
