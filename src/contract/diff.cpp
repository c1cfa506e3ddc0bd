#include "contract/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "contract/evolution.hpp"
#include "contract/ordering.hpp"
#include "contract/queue_names.hpp"
#include "contract/schedules.hpp"

namespace contract {

namespace {

class comparison {
 public:
  comparison(const declaration::project& project, const lock& lock, int engine) : project_{project} {
    result_.released = without_drafts(lock);
    result_.engine = engine;
    for (const auto& line : lock.lines) check_engine(line);
  }

  changes run() && {
    const auto* core = find_line(result_.released, core_line);
    result_.core.is_new = core == nullptr;
    if (core != nullptr) result_.core.engine = core->engine;
    if (!result_.core.is_new) compare_project();
    compare_enumerations();
    compare_queues();
    compare_schedules();
    find_queues_before();
    for (const auto& line : result_.released.lines) find_removed(line);
    for (const auto& removed : project_.removed_queues) check_removed(removed);
    text::sort_by_position(result_.diagnostics);
    return std::move(result_);
  }

 private:
  void refuse(std::string_view code, std::string message, const text::span& where, std::string help) {
    result_.diagnostics.push_back(
        {text::severity::error, std::string{code}, std::move(message), where, std::move(help), {}});
  }

  /// Its drafts as well: what a newer engine has drafted is not for an older one to replace.
  void check_engine(const line& line) {
    if (line.engine <= result_.engine) return;
    refuse("engine_newer",
           fmt::format("the objects of \"{}\" are of engine {}; this quern with its templates has engine {}", line.name,
                       line.engine, result_.engine),
           {},
           "use the version of quern, or the directory of templates, that has generated quern.lock, or a newer one");
  }

  void find_queues_before() {
    std::vector<std::string> known;
    const auto add = [&](const std::string& name) {
      const auto* line = find_line(result_.released, name);
      if (name == core_line || line == nullptr) return;
      if (std::find(known.begin(), known.end(), name) != known.end()) return;
      known.push_back(name);
      auto& core = result_.core;
      auto& into = is_stream(line->state) ? core.streams_before : core.queues_before;
      into.push_back(doors_of(name, line->state));
    };
    for (const auto& place : places_.of) add(place.line);
    for (const auto& line : result_.released.lines) add(line.name);
  }

  void compare_project() {
    const auto compare = [&](std::string_view key, const std::string& before, const std::string& now) {
      if (before == now) return;
      refuse(fmt::format("{}_changed", key), fmt::format("the project's {} was \"{}\" and is \"{}\"", key, before, now),
             {},
             fmt::format("its migrations are released under the old {0}: keep the {0}, or start a new project in "
                         "another directory",
                         key));
    };
    compare("name", result_.released.project, project_.name);
    compare("schema", result_.released.schema, project_.schema);
  }

  void say_core(std::string words) { result_.core.words.push_back(std::move(words)); }

  void compare_enumerations() {
    auto& core = result_.core;
    core.enumerations_before = result_.released.enumerations;
    std::map<std::string, locked_enumeration> now;
    for (const auto& known : core.enumerations_before) now.emplace(known.name, known);
    for (const auto& declared : project_.enumerations) {
      const auto before = now.find(declared.name);
      if (before == now.end()) {
        say_core(fmt::format("adds the enumeration \"{}\"", declared.name));
        core.added.push_back(declared.name);
      } else {
        compare_enumeration(before->second, declared);
      }
      now.insert_or_assign(declared.name, locked(declared));
    }
    for (auto& [name, enumeration] : now) core.enumerations.push_back(std::move(enumeration));
  }

  void compare_enumeration(const locked_enumeration& before, const declaration::enumeration& now) {
    if (before.doc != now.doc) say_core(fmt::format("changes the comment of the enumeration \"{}\"", now.name));
    if (before.values == now.values) return;
    const bool is_longer = before.values.size() < now.values.size() &&
                           std::equal(before.values.begin(), before.values.end(), now.values.begin());
    if (is_longer) return say_core(fmt::format("adds values to the enumeration \"{}\"", now.name));
    refuse(
        "enumeration_changed",
        fmt::format("the values of enumeration \"{}\" have changed other than at their end", now.name), now.where,
        fmt::format("released values are {}: messages hold them, and PostgreSQL cannot take one away. Three ways out:\n"
                    "  1. keep them in this order and add new ones at the end\n"
                    "  2. keep a value that is not wanted any more, and produce no messages with it\n"
                    "  3. declare a new enumeration under another name, and a new field of it",
                    fmt::join(before.values, ", ")));
  }

  void compare_queues() {
    places_ = place_queues(project_, result_.released);
    for (auto& problem : places_.problems) result_.diagnostics.push_back(std::move(problem));
    for (std::size_t i = 0; i < project_.queues.size(); ++i) {
      result_.queue_lines.push_back(places_.of[i].line);
      if (!places_.of[i].is_refused) compare_queue(project_.queues[i], places_.of[i]);
    }
    if (former_.empty() || !result_.diagnostics.empty()) return;
    declaration::report collisions;
    declaration::check_collisions(project_, former_, collisions);
    for (auto& problem : collisions.take()) result_.diagnostics.push_back(std::move(problem));
  }

  /// A schedule speaks the newest contract of its queue, and moves on with it.
  void compare_schedules() {
    auto& core = result_.core;
    core.schedules_before = result_.released.schedules;
    for (const auto& schedule : project_.schedules) {
      const auto& queues = project_.queues;
      const auto target = std::ranges::find(queues, schedule.target, &declaration::queue::name);
      const auto& place = places_.of[static_cast<std::size_t>(target - queues.begin())];
      const auto* state = place.is_refused ? nullptr : state_after(place.line);
      if (state == nullptr || state->contracts.empty()) continue;  // there is a diagnostic
      core.schedules.push_back(locked(schedule, *target, state->contracts.back().version));
    }
    std::ranges::sort(core.schedules, {}, &locked_schedule::name);
    if (core.is_new) return;
    for (auto& words : schedule_words(core.schedules_before, core.schedules)) say_core(std::move(words));
    for (const auto& each : core.schedules) {
      if (find_schedule(core.schedules_before, each.name) == nullptr) core.added.push_back(each.name);
    }
  }

  const queue_state* state_after(const std::string& name) const {
    const auto change = std::ranges::find(result_.lines, name, &line_change::line);
    if (change != result_.lines.end()) return &change->after;
    const auto* line = find_line(result_.released, name);
    return line == nullptr ? nullptr : &line->state;
  }

  void compare_queue(const declaration::queue& queue, const queue_place& place) {
    const auto* line = place.known;
    if (line == nullptr || line->state.is_dropped) return add_queue(queue, place);
    if (is_stream(line->state) != queue.stream.has_value()) return refuse_kind(queue, *line);
    if (is_log(line->state) != queue.is_log) return refuse_storage(queue, *line);
    if (queue_name(*line) != queue.name)
      say_core(fmt::format("renames the {} \"{}\" to \"{}\"", kind_of(queue), queue_name(*line), queue.name));
    line_change change{line->name, &queue, line->state, line->state, false, {}, line->engine};
    auto evolved = evolve(project_, queue, line->state.contracts);
    for (auto& problem : evolved.problems) result_.diagnostics.push_back(std::move(problem));
    if (evolved.is_changed) {
      change.after.contracts.push_back(std::move(evolved.next));
      change.words = std::move(evolved.words);
    }
    for (auto& problem : check_order(queue, change.after.contracts)) result_.diagnostics.push_back(std::move(problem));
    change.after.options = options_of(queue);
    say_options(change);
    note_former_names(change);
    if (change.before != change.after || line->engine < result_.engine) result_.lines.push_back(std::move(change));
  }

  void refuse_kind(const declaration::queue& queue, const line& line) {
    const auto now = kind_of(queue);
    const auto before = kind_of(line.state);
    refuse(
        "kind_changed",
        fmt::format("\"{}\" was released as a {} and is declared as a {}", queue_name(line), before, now), queue.where,
        fmt::format("programs use it as what it was, and nothing can be taken over. Declare the {} under another name, "
                    "and drop the {} when nobody uses it any more",
                    now, before));
  }

  void refuse_storage(const declaration::queue& queue, const line& line) {
    const auto* const now = queue.is_log ? "log" : "rows";
    const auto* const before = queue.is_log ? "rows" : "log";
    const auto released = queue_name(line);
    const bool is_renamed = released != queue.name;
    const auto ways = is_renamed ? fmt::format(
                                       "  2. take renamed_from away: \"{0}\" is a new queue then; keep "
                                       "[queues.{1}] as it was, and let it drain\n"
                                       "  3. take renamed_from away, and drop \"{1}\" when it is empty and "
                                       "unused ([removed_queues.{1}])",
                                       queue.name, released)
                                 : fmt::format(
                                       "  2. declare a new queue with storage = \"{}\" under another name, and "
                                       "let this one drain\n"
                                       "  3. drop it when it is empty and unused ([removed_queues.{}]), and "
                                       "declare it anew after that release",
                                       now, released);
    refuse("storage_changed",
           fmt::format("the storage of queue \"{}\" was \"{}\" and is \"{}\"", released, before, now), queue.where,
           fmt::format("its messages are stored as the released migrations have it, and programs work on them. Three "
                       "ways out:\n  1. keep storage = \"{}\"\n{}",
                       before, ways));
  }

  void note_former_names(const line_change& change) {
    for (auto& name : former_names(*change.declared, change.line, change.after)) former_.push_back(std::move(name));
  }

  /// What a declaration says of a contract before the first one.
  void refuse_history(const declaration::queue& queue) {
    constexpr auto help = "it is new: take this away";
    for (const auto& field : queue.payload) {
      if (field.renamed_from.empty()) continue;
      refuse("rename_unknown",
             fmt::format("{} has no released contract with a field \"{}\" that \"{}\" could be renamed from",
                         title_of(queue), field.renamed_from, field.name),
             field.where, help);
    }
    for (const auto& field : queue.removed) {
      refuse("removed_unknown", fmt::format("no contract of {} had a field \"{}\"", title_of(queue), field.name),
             field.where, help);
    }
    if (!queue.breaks) return;
    refuse("break_needless",
           fmt::format("'accept_break' has no effect: {} has no released contract to break with", title_of(queue)),
           queue.breaks->where, help);
  }

  void add_queue(const declaration::queue& queue, const queue_place& place) {
    refuse_history(queue);
    const auto* dropped = place.known;
    line_change change{
        place.line,    &queue, {}, {}, false, {fmt::format("creates the {} \"{}\"", kind_of(queue), queue.name)},
        result_.engine};
    if (dropped != nullptr) {
      change.before = dropped->state;
      change.after.contracts = dropped->state.contracts;
    }
    change.after.contracts.push_back(first_contract(project_, queue, change.after.contracts));
    change.after.options = options_of(queue);
    note_former_names(change);
    result_.lines.push_back(std::move(change));
    if (result_.core.is_new) return;
    say_core(fmt::format("adds the {} \"{}\"", kind_of(queue), queue.name));
    result_.core.added.push_back(queue.name);
  }

  static void say_options(line_change& change) {
    const auto find = [](const std::vector<option>& options, std::string_view key) -> std::string_view {
      const auto has_key = [&](const option& one) { return one.first == key; };
      const auto place = std::find_if(options.begin(), options.end(), has_key);
      return place == options.end() ? std::string_view{} : place->second;
    };
    std::set<std::string_view> keys;
    for (const auto* options : {&change.before.options, &change.after.options}) {
      for (const auto& [key, value] : *options) keys.insert(key);
    }
    const auto say = [&](std::string words) {
      if (change.words.empty() || change.words.back() != words) change.words.push_back(std::move(words));
    };
    for (const auto key : keys) {
      if (find(change.before.options, key) == find(change.after.options, key)) continue;
      if (!key.starts_with(consumer_options)) {
        say(fmt::format("changes {}", key));
        continue;
      }
      const auto name =
          key.substr(consumer_options.size(), key.find('.', consumer_options.size()) - consumer_options.size());
      const auto from = fmt::format("{}{}.from", consumer_options, name);
      const auto* const verb = find(change.before.options, from).empty()  ? "adds"
                               : find(change.after.options, from).empty() ? "drops"
                                                                          : "changes";
      say(fmt::format("{} the consumer \"{}\"", verb, name));
    }
  }

  static constexpr std::string_view consumer_options = "consumers.";

  static std::string rename_hint(const line& line) {
    return fmt::format("; if it only has another name now, write renamed_from = \"{}\" there", queue_name(line));
  }

  void find_removed(const line& line) {
    const auto& name = queue_name(line);
    const auto is_declared = [&](const queue_place& place) { return place.line == line.name; };
    const auto& mentioned = places_.mentioned;
    if (line.name == core_line || line.state.is_dropped ||
        std::any_of(places_.of.begin(), places_.of.end(), is_declared) ||
        std::find(mentioned.begin(), mentioned.end(), line.name) != mentioned.end())
      return;
    const auto kind = kind_of(line.state);
    const auto is_it = [&](const declaration::removed_queue& one) {
      return one.name == name && one.is_stream == is_stream(line.state);
    };
    const auto& removed = project_.removed_queues;
    const auto wanted = std::find_if(removed.begin(), removed.end(), is_it);
    if (wanted == removed.end()) {
      return refuse("queue_removed", fmt::format("the {} \"{}\" is not declared any more", kind, name), {},
                    fmt::format("programs may use it and its tables may hold {2}. Three ways out:\n"
                                "  1. declare it again as it was{3}\n"
                                "  2. drop it when it is empty and unused: write [removed_{0}s.{1}]\n"
                                "  3. drop it with its {2}: write {2} = \"discard\" there",
                                kind, name, is_stream(line.state) ? "events" : "messages", rename_hint(line)));
    }
    line_change change{line.name,
                       nullptr,
                       line.state,
                       line.state,
                       wanted->discards_messages,
                       {fmt::format("drops the {} \"{}\"", kind, name)},
                       line.engine};
    change.after.is_dropped = true;
    for (auto& contract : change.after.contracts) contract.is_retired = true;
    result_.lines.push_back(std::move(change));
    say_core(fmt::format("drops the {} \"{}\"", kind, name));
  }

  void check_removed(const declaration::removed_queue& removed) {
    const auto* line = find_owner(result_.released, removed.name);
    if (line != nullptr && is_stream(line->state) == removed.is_stream &&
        (line->state.is_dropped || queue_name(*line) == removed.name))
      return;
    const bool has_other_name = line != nullptr && queue_name(*line) != removed.name;
    refuse("removed_queue_unknown",
           fmt::format("there was no released {} \"{}\" that could be removed", removed.is_stream ? "stream" : "queue",
                       removed.name),
           removed.where,
           has_other_name ? fmt::format("it is called \"{}\" now", queue_name(*line)) : std::string{"take it away"});
  }

  const declaration::project& project_;
  queue_places places_;
  std::vector<declaration::former_name> former_;
  changes result_;
};

}  // namespace

changes compare(const declaration::project& project, const lock& lock, int engine) {
  return comparison{project, lock, engine}.run();
}

}  // namespace contract
