#include "check/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "contract/contract.hpp"
#include "migrate/parse.hpp"
#include "render/file_system.hpp"

namespace check {
namespace {

namespace fs = std::filesystem;

class history_check {
 public:
  history_check(const project& of, const base& against, report& found) : of_{of}, base_{against}, found_{found} {}

  void run() {
    if (!base_.has_lock) return;
    if (of_.lock->lines.empty())
      return add("history_removed", fmt::format("{} has a lock, and there is none here", base_.name), merge_first(),
                 {});
    compare_texts("project", base_.lock.project, of_.lock->project);
    compare_texts("schema", base_.lock.schema, of_.lock->schema);
    for (const contract::locked_enumeration& one : base_.lock.enumerations) compare_enumeration(one);
    for (const contract::line& one : base_.lock.lines) compare_line(one);
    if (base_.hooks) compare_hooks();
  }

 private:
  std::string merge_first() const {
    return fmt::format("merge {} first; what is released is never removed", base_.name);
  }

  std::string number_anew() const {
    return fmt::format("merge {0}, then run `quern rebase --onto {0}`: your drafts are made anew behind its migrations",
                       base_.name);
  }

  /// In the lock, at the line or at one of its migrations.
  void add(std::string_view code, std::string message, std::string help, const text::span& where) {
    const std::string file = of_.lock_source ? of_.lock_source->name : (of_.where.migrations / "quern.lock").string();
    found_.add(name::history, file, problem(code, std::move(message), std::move(help), where));
  }

  text::span place(std::string_view line, std::string_view file = {}) const {
    return of_.lock_source ? place_in_lock(*of_.lock_source, line, file) : text::span{};
  }

  void compare_texts(std::string_view what, const std::string& before, const std::string& now) {
    if (before == now) return;
    add("history_changed", fmt::format("the {} is \"{}\"; {} has \"{}\"", what, now, base_.name, before),
        "keep it: everything that is released carries it", {});
  }

  void compare_enumeration(const contract::locked_enumeration& before) {
    const auto& all = of_.lock->enumerations;
    const auto now = std::ranges::find(all, before.name, &contract::locked_enumeration::name);
    if (now == all.end()) return;
    if (before.values.size() <= now->values.size() &&
        std::equal(before.values.begin(), before.values.end(), now->values.begin()))
      return;
    add("history_changed",
        fmt::format("the values of enumeration \"{}\" are not those of {} with new ones behind them", before.name,
                    base_.name),
        "keep the old values in their order; new ones stand at the end", {});
  }

  void compare_line(const contract::line& before) {
    const contract::line* const now = contract::find_line(*of_.lock, before.name);
    if (now == nullptr)
      return add("history_removed",
                 fmt::format("{} has the line \"{}\", which is missing here", base_.name, before.name), merge_first(),
                 {});
    compare_migrations(before, *now);
    compare_contracts(before, *now);
  }

  /// The first one that differs is told: those behind it follow from it.
  void compare_migrations(const contract::line& before, const contract::line& now) {
    const std::size_t both = std::min(before.migrations.size(), now.migrations.size());
    for (std::size_t i = 0; i < both; ++i)
      if (before.migrations[i] != now.migrations[i])
        return report_migration(before.name, before.migrations[i], now.migrations[i]);
    if (both < before.migrations.size())
      add("history_removed",
          fmt::format("{} has {}/{}, which is missing here", base_.name, before.name, before.migrations[both].file),
          merge_first(), place(before.name));
  }

  void report_migration(const std::string& line, const contract::migration& before, const contract::migration& now) {
    if (before.file != now.file)
      return add("history_diverged",
                 fmt::format("{} has {}/{} where {} stands here", base_.name, line, before.file, now.file),
                 number_anew(), place(line, now.file));
    add("history_changed", fmt::format("{}/{} is not the one of {}", line, now.file, base_.name),
        "bring it back; where both sides added it, " + number_anew(), place(line, now.file));
  }

  void compare_contracts(const contract::line& before, const contract::line& now) {
    const auto& all = contracts_of(now);
    for (const contract::payload_contract& one : contracts_of(before)) {
      const auto same = std::ranges::find(all, one.version, &contract::payload_contract::version);
      if (same == all.end()) {
        add("history_removed",
            fmt::format("{} has contract v{} of \"{}\", which is missing here", base_.name, one.version, before.name),
            merge_first(), place(before.name));
      } else if (contract::fingerprint(*same) != contract::fingerprint(one)) {
        add("history_changed",
            fmt::format("contract v{} of \"{}\" is not the one of {}", one.version, before.name, base_.name),
            "a contract that the base has is released: take the change back, so that it becomes a new version",
            place(before.name));
      }
    }
  }

  /// A hook belongs to its migration: where that one is released, so is the hook.
  void compare_hooks() {
    std::set<std::string> here;
    for (const line_file& one : of_.hooks) {
      here.insert(one.name);
      const auto before = base_.hooks->find(one.name);
      if (before == base_.hooks->end() ? is_released(one) : !is_same(one, before->second))
        found_.add(name::history, one.path.string(),
                   problem("history_changed",
                           before == base_.hooks->end()
                               ? fmt::format("{} has the migration of this hook without it", base_.name)
                               : fmt::format("this is not the hook that {} has", base_.name),
                           "databases may have the migration as it was: make a hook for a new one"));
    }
    for (const auto& [hook, text] : *base_.hooks)
      if (!here.contains(hook))
        found_.add(name::history, (of_.where.migrations / hook).string(),
                   problem("history_removed", fmt::format("{} has this hook, which is missing here", base_.name),
                           "bring it back: it belongs to a released migration"));
  }

  bool is_released(const line_file& hook) const {
    const contract::line* const line = contract::find_line(base_.lock, hook.line);
    return line != nullptr && static_cast<std::size_t>(hook.number) <= line->migrations.size();
  }

  static bool is_same(const line_file& one, const std::string& before) {
    const auto now = render::file_system::read(one.path);
    return now && migrate::with_line_feeds(*now) == migrate::with_line_feeds(before);
  }

  const project& of_;
  const base& base_;
  report& found_;
};

}  // namespace

void check_history(const project& of, const base& against, report& found) {
  if (of.lock) history_check{of, against, found}.run();
}

}  // namespace check
