#include "render/engine_change.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "render/queue_change.hpp"

namespace render {

namespace {

using names = std::set<std::string, std::less<>>;

std::string drop_text(const sql_object& object) {
  if (object.is == object_kind::trigger) return fmt::format("drop trigger {} on {};", object.name, object.table);
  return fmt::format("drop {} {};", word_of(object.is), object.name);
}

/// Whether the server checks that it is there as long as the object is.
bool depends(const sql_object& object, const std::string& on) {
  if (object.name == on) return false;
  const bool is_checked = object.is != object_kind::function || mentions(object.text, "begin atomic");
  return is_checked && (mentions(object.text, on) || object.table == on);
}

/// A view may gain columns where it stands; backwards it would lose them.
bool is_replaced_in_place(const sql_object& before, const sql_object& after, bool is_forward) {
  if (before.is != after.is || before.table != after.table) return false;
  if (before.is == object_kind::function) return signature_of(before) == signature_of(after);
  return is_forward || before.is != object_kind::view || before.text == after.text;
}

/// `grant insert (a, b) on shop.email_message to web;`: rights that differ in their column alone are one line, and so
/// are those on several functions.
std::string spell_rights(const std::set<sql_right>& rights, std::string_view verb, std::string_view to) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> lines;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> columns;
  for (const auto& [privilege, column, kind, object, role] : rights) {
    if (column.empty()) {
      lines[{privilege, kind, role}].push_back(object);
    } else {
      columns[{privilege, object, role}].push_back(column);
    }
  }
  std::string result;
  for (const auto& [key, objects] : lines) {
    const auto& [privilege, kind, role] = key;
    result += fmt::format("{} {} on {}{}{} {} {};\n", verb, privilege, kind, kind.empty() ? "" : " ",
                          fmt::join(objects, ", "), to, role);
  }
  for (const auto& [key, all] : columns) {
    const auto& [privilege, object, role] = key;
    result += fmt::format("{} {} ({}) on {} {} {};\n", verb, privilege, fmt::join(all, ", "), object, to, role);
  }
  return without_end(std::move(result));
}

/// One way of an engine's change: from objects to others.
class transition {
 public:
  transition(const sql_objects& from, const sql_objects& to, bool is_forward)
      : from_{from}, to_{to}, is_forward_{is_forward} {
    find_remade();
  }

  /// Those of `to` that were not there, in their order.
  std::vector<const sql_object*> added() const { return missing_in(to_, from_); }
  std::vector<const sql_object*> gone() const { return missing_in(from_, to_); }

  bool is_remade(const std::string& name) const { return remade_.contains(name); }

  /// Drops what cannot be replaced in place, then makes all that is new or other; what is gone stays. Run again, or
  /// where some of it is done, it gives the same.
  std::string text() const {
    std::vector<std::string> texts;
    for (auto one = from_.all().rbegin(); one != from_.all().rend(); ++one) {
      if (remade_.contains(one->name)) texts.push_back(drop_text(*one));
    }
    auto state = from_;
    for (const auto& name : remade_) state.drop(name);
    std::string drops = fmt::format("{}", fmt::join(texts, "\n"));
    texts.clear();
    if (!drops.empty()) texts.push_back(std::move(drops));
    for (const auto& object : to_.all()) {
      if (object.is != object_kind::sequence) add(texts, object, state);
    }
    texts.push_back(rights(state));
    return joined(texts);
  }

  bool touches_views() const {
    return std::ranges::any_of(to_.all(), [&](const sql_object& one) {
      const auto* before = from_.find(one.name);
      const bool is_view = one.is == object_kind::view || one.is == object_kind::trigger;
      return is_view && (before == nullptr || before->text != one.text || remade_.contains(one.name));
    });
  }

 private:
  static std::vector<const sql_object*> missing_in(const sql_objects& all, const sql_objects& in) {
    std::vector<const sql_object*> result;
    for (const auto& one : all.all()) {
      if (in.find(one.name) == nullptr) result.push_back(&one);
    }
    return result;
  }

  /// What has to be dropped to be made anew, and what depends on it.
  void find_remade() {
    std::vector<std::string> open;
    for (const auto& now : to_.all()) {
      const auto* before = from_.find(now.name);
      if (before != nullptr && now.is != object_kind::sequence && !is_replaced_in_place(*before, now, is_forward_))
        open.push_back(now.name);
    }
    while (!open.empty()) {
      const auto name = std::move(open.back());
      open.pop_back();
      if (!remade_.insert(name).second) continue;
      for (const auto& one : from_.all()) {
        if (depends(one, name)) open.push_back(one.name);
      }
    }
  }

  void add(std::vector<std::string>& texts, const sql_object& object, sql_objects& state) const {
    const auto* there = state.find(object.name);
    const bool is_same = there != nullptr && there->text == object.text;
    std::string text = is_same ? std::string{} : replacing(object.text);
    if (!object.comment.empty() && (there == nullptr || there->comment != object.comment)) {
      if (!text.empty()) text += '\n';
      text += object.comment;
    }
    texts.push_back(std::move(text));
    if (!is_same) state.create(object);
  }

  std::string rights(const sql_objects& state) const {
    std::set<sql_right> more;
    std::set<sql_right> less;
    for (const auto& one : to_.rights()) {
      if (!state.rights().contains(one)) more.insert(one);
    }
    for (const auto& one : state.rights()) {
      if (!to_.rights().contains(one) && to_.owns(one.object)) less.insert(one);
    }
    auto text = spell_rights(less, "revoke", "from");
    const auto grants = spell_rights(more, "grant", "to");
    if (!text.empty() && !grants.empty()) text += '\n';
    return text + grants;
  }

  const sql_objects& from_;
  const sql_objects& to_;
  bool is_forward_;
  names remade_;
};

class engine_migration {
 public:
  engine_migration(renderer& with, const engine_change& change)
      : with_{with},
        change_{change},
        forward_{change.before, change.after, true},
        backward_{change.after, change.before, false} {}

  std::vector<migration_step> run() && {
    check();
    steps_ = change_.first;
    add_new();
    replace();
    drop_gone();
    steps_.insert(steps_.end(), change_.last.begin(), change_.last.end());
    return std::move(steps_);
  }

 private:
  std::string name(std::string_view what) const { return fmt::format("engine_{}{}", change_.number, what); }

  [[noreturn]] void refuse(std::string words) const {
    throw engine_refused{{text::severity::error,
                          "engine_unsafe",
                          fmt::format("engine {} {}", change_.number, words),
                          {},
                          "correct the templates: programs, and sessions that run, hold on to what is released; "
                          "templates/engine.txt says what an engine may change",
                          {}}};
  }

  void check() const {
    for (const auto& before : change_.before.all()) {
      const auto* after = change_.after.find(before.name);
      if (before.is == object_kind::sequence && after != nullptr && before.text != after->text && change_.first.empty())
        refuse(fmt::format("makes the sequence {} otherwise, and has no step that changes it", before.name));
      if (before.is != object_kind::function || (after != nullptr && signature_of(before) == signature_of(*after)))
        continue;
      const auto user = change_.user(before);
      if (user.empty()) continue;
      refuse(after == nullptr ? fmt::format("takes away the function {}, which {} call", before.name, user)
                              : fmt::format("changes the parameters or the result of the function {}, which {} call",
                                            before.name, user));
    }
  }

  /// Sequences, which functions look at; backwards all that is new.
  void add_new() {
    std::vector<std::string> texts;
    std::vector<std::string> drops;
    for (const auto* one : forward_.added()) {
      if (one->is == object_kind::sequence) {
        texts.push_back(one->text + (one->comment.empty() ? "" : "\n" + one->comment));
      }
      const bool goes_with_view = one->is == object_kind::trigger && change_.before.find(one->table) == nullptr;
      if (!goes_with_view && !backward_.is_remade(one->name)) drops.insert(drops.begin(), drop_text(*one));
    }
    if (drops.empty()) return;
    steps_.push_back({.name = name("_new"),
                      .lock = "none but on the new objects",
                      .text = texts.empty() ? nothing("What is new is made with what uses it.") : joined(texts),
                      .reverse = fmt::format("{}", fmt::join(drops, "\n"))});
    steps_.push_back(settle("_settle_back", false));
  }

  void replace() {
    auto text = forward_.text();
    if (text.empty()) return;
    const bool is_strong = forward_.touches_views() || backward_.touches_views();
    steps_.push_back(
        {.name = name(""),
         .lock = is_strong ? "access exclusive on the queue's view, for an instant" : "none that anybody waits for",
         .lock_timeout = is_strong ? strong_lock_timeout : "5s",
         .text = std::move(text),
         .reverse = joined({lost_sequences(), backward_.text()})});
  }

  /// Those that are gone, for the functions that looked at them; when their step was not applied, they are there.
  std::string lost_sequences() const {
    std::vector<std::string> texts;
    for (const auto* one : forward_.gone()) {
      if (one->is != object_kind::sequence) continue;
      auto text = one->text;
      text.replace(0, std::string_view{"create sequence "}.size(), "create sequence if not exists ");
      texts.push_back(text + (one->comment.empty() ? "" : "\n" + one->comment));
    }
    return joined(texts);
  }

  void drop_gone() {
    std::vector<std::string> drops;
    for (const auto* one : forward_.gone()) {
      const bool goes_with_view = one->is == object_kind::trigger && change_.after.find(one->table) == nullptr;
      if (!goes_with_view && !forward_.is_remade(one->name)) drops.insert(drops.begin(), drop_text(*one));
    }
    if (!drops.empty() || !change_.last.empty()) steps_.push_back(settle("_settle", true));
    if (drops.empty()) return;
    steps_.push_back({.name = name("_drop"),
                      .lock = "none but on what nobody uses any more",
                      .lock_timeout = strong_lock_timeout,
                      .text = fmt::format("{}", fmt::join(drops, "\n")),
                      .reverse = nothing("What this step has dropped comes back with what uses it.")});
  }

  migration_step settle(std::string_view what, bool is_forward) const {
    const auto wait = with_.text("sql/change/settle", view{});
    const auto nothing_to_do = nothing("Nothing to wait for in this direction.");
    return {.name = name(what),
            .lock = "none; waits until older transactions have ended",
            .lock_timeout = "0",
            .statement_timeout = "0",
            .is_transactional = false,
            .text = is_forward ? wait : nothing_to_do,
            .reverse = is_forward ? nothing_to_do : wait};
  }

  renderer& with_;
  const engine_change& change_;
  transition forward_;
  transition backward_;
  std::vector<migration_step> steps_;
};

}  // namespace

std::vector<migration_step> engine_steps(renderer& with, const engine_change& change) {
  return engine_migration{with, change}.run();
}

std::vector<migration_step> parse_steps(const std::string& text, const std::string& template_name) {
  constexpr std::string_view opening = "-- step: ";
  std::vector<migration_step> steps;
  const auto refuse = [&](std::string_view line) {
    throw std::runtime_error{
        fmt::format("{} must be steps, each with `-- step: name`, `-- lock: …`, `-- lock_timeout: …`, "
                    "`-- statement_timeout: …`, `-- transaction: yes|no` and its SQL; it has \"{}\" there",
                    template_name, line)};
  };
  std::size_t heads = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with(opening)) {
      steps.push_back({.name = line.substr(opening.size())});
      heads = 1;
      continue;
    }
    if (steps.empty()) refuse(line);
    auto& step = steps.back();
    const std::array<std::pair<std::string_view, std::string*>, 3> keys{
        {{"-- lock: ", &step.lock},
         {"-- lock_timeout: ", &step.lock_timeout},
         {"-- statement_timeout: ", &step.statement_timeout}}};
    if (heads <= keys.size()) {
      const auto& [key, value] = keys.at(heads - 1);
      if (!line.starts_with(key)) refuse(line);
      *value = line.substr(key.size());
      ++heads;
    } else if (heads == keys.size() + 1) {
      if (line != "-- transaction: yes" && line != "-- transaction: no") refuse(line);
      step.is_transactional = line.ends_with("yes");
      ++heads;
    } else {
      (step.text += line) += '\n';
    }
  }
  // With its sections, which stand there as they are.
  for (auto& step : steps) {
    step.text = without_end(step.text.substr(std::min(step.text.find_first_not_of('\n'), step.text.size())));
    if (step.text.empty()) refuse(fmt::format("{}{}", opening, step.name));
  }
  return steps;
}

}  // namespace render
