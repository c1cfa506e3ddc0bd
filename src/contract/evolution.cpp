#include "contract/evolution.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "contract/counterpart.hpp"
#include "contract/priorities.hpp"
#include "contract/queue_names.hpp"
#include "contract/types.hpp"
#include "declaration/names.hpp"
#include "declaration/types.hpp"

namespace contract {

namespace {

/// Whether the declaration takes one for the type.
bool can_have_default(const field& of) {
  const auto type = storage_type(of.type);
  return type != "bytes" && type != "jsonb";
}

std::set<std::string, std::less<>> used_columns(const std::vector<payload_contract>& contracts) {
  std::set<std::string, std::less<>> result;
  for (const auto& one : contracts) {
    for (const auto& field : one.fields) result.insert(field.column);
    if (!one.priority_column.empty()) result.insert(one.priority_column);
  }
  return result;
}

class evolver {
 public:
  evolver(const declaration::project& project, const declaration::queue& queue,
          const std::vector<payload_contract>& before)
      : queue_{queue}, contracts_{before}, previous_{before.back()}, columns_{used_columns(before)} {
    auto& next = result_.next;
    next.queue = queue.name;
    next.version = previous_.version + 1;
    next.is_schemaless = queue.is_schemaless;
    next.fields = fields_of(project, queue);
  }

  evolution run() && {
    if (queue_.name != previous_.queue)
      say(fmt::format("renames the {} \"{}\" to \"{}\"", kind_of(queue_), previous_.queue, queue_.name));
    evolve_options();
    find_renames();
    for (auto& field : result_.next.fields) evolve_field(field);
    for (const auto& field : previous_.fields) {
      if (!continued_.contains(field.name)) remove(field);
    }
    check_removed();
    evolve_unique();
    result_.is_changed = is_changed();
    if (result_.is_changed && result_.words.empty()) say("changes the order of the fields");
    check_break();
    if (!result_.is_changed) {
      result_.next = previous_;
      result_.words.clear();
    } else if (needs_break_) {
      result_.next.breaks = contract_break{queue_.breaks->reason, queue_.breaks->until};
    }
    return std::move(result_);
  }

 private:
  /// In the declaration; the payload of a schemaless queue is the queue.
  text::span place_of(std::string_view name) const {
    for (const auto& each : queue_.payload) {
      if (each.name == name) return each.where;
    }
    return queue_.where;
  }

  bool accepts_break() const { return queue_.breaks && queue_.breaks->version == result_.next.version; }

  void refuse(std::string_view code, std::string message, const text::span& where, std::string help) {
    result_.problems.push_back(
        {text::severity::error, std::string{code}, std::move(message), where, std::move(help), {}});
  }

  /// A problem with the three ways out of it, unless the declaration accepts it.
  void breaks(std::string_view code, std::string message, const text::span& where, std::string_view compatible_form) {
    if (accepts_break()) {
      needs_break_ = true;
      return;
    }
    refuse(code, std::move(message), where,
           fmt::format("contract v{} is released, and its programs run on. Three ways out:\n"
                       "  1. {}\n"
                       "  2. accept the break in [queues.{}]: accept_break = {{ version = {}, reason = \"…\", until = "
                       "\"YYYY-MM-DD\" }};\n"
                       "     what a program cannot read then waits for one that can\n"
                       "  3. declare a new queue under another name, and let this one drain",
                       previous_.version, compatible_form, queue_.name, result_.next.version));
  }

  void say(std::string words) { result_.words.push_back(std::move(words)); }

  const declaration::field* declared(std::string_view name) const {
    for (const auto& each : queue_.payload) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }

  /// What shows in signatures besides the payload.
  void evolve_options() {
    auto& next = result_.next;
    next.priorities = queue_.priorities;
    if (next.priorities > 0) {
      next.priority_column = priority_column(contracts_);
      if (next.priority_column.empty()) next.priority_column = fresh_column("priority");
    }
    next.has_headers = queue_.has_headers;
    if (next.has_headers != previous_.has_headers) say(next.has_headers ? "adds headers" : "takes the headers away");
    if (auto words = change_of_priorities(previous_.priorities, next.priorities); !words.empty()) say(std::move(words));
  }

  void find_renames() {
    for (auto& field : result_.next.fields) {
      const auto* written = declared(field.name);
      if (written == nullptr || written->renamed_from.empty()) continue;
      const auto* before = find_field(previous_, written->renamed_from);
      bool has_name_already = find_field(previous_, field.name) != nullptr;
      // It was renamed in an earlier contract, and the key still stands there.
      if (has_name_already && (before == nullptr || last_rename(field.name) == written->renamed_from)) continue;
      // Two that change their names, or more in a ring.
      has_name_already = has_name_already && !is_renamed_away(field.name);
      if (before == nullptr) {
        refuse("rename_unknown",
               fmt::format("contract v{} of {} has no field \"{}\" that \"{}\" could be renamed from",
                           previous_.version, title_of(queue_), written->renamed_from, field.name),
               written->where, "a new field needs no 'renamed_from'");
        continue;
      }
      if (has_name_already || !continued_.insert(written->renamed_from).second) {
        refuse("rename_ambiguous",
               has_name_already
                   ? fmt::format("the field \"{}\" is said to be renamed from \"{}\", but contract v{} has both",
                                 field.name, written->renamed_from, previous_.version)
                   : fmt::format("two fields are said to be renamed from \"{}\"", written->renamed_from),
               written->where, "take 'renamed_from' away, or give the field another name");
        continue;
      }
      field.renamed_from = written->renamed_from;
      say(fmt::format("renames the field \"{}\" to \"{}\"", field.renamed_from, field.name));
    }
  }

  /// The name that the field of the contract before last had when it had another one.
  std::string_view last_rename(std::string_view name) const {
    for (auto contract = contracts_.rbegin(); contract != contracts_.rend(); ++contract) {
      const auto* known = find_field(*contract, name);
      if (known == nullptr || known->is_new) return {};
      if (!known->renamed_from.empty()) return known->renamed_from;
    }
    return {};
  }

  bool is_renamed_away(std::string_view name) const {
    return std::any_of(queue_.payload.begin(), queue_.payload.end(),
                       [&](const declaration::field& one) { return one.renamed_from == name; });
  }

  void evolve_field(field& now) {
    const auto* before = find_field(previous_, now.renamed_from.empty() ? now.name : now.renamed_from);
    // Another field has taken its place by a rename.
    if (before != nullptr && now.renamed_from.empty() && continued_.contains(now.name)) before = nullptr;
    if (before == nullptr) {
      now.is_new = find_field(previous_, now.name) != nullptr;
      return add(now);
    }
    continued_.insert(before->name);
    change(now, *before);
  }

  void add(field& now) {
    now.column = fresh_column(now.name);
    say(fmt::format("adds the field \"{}\"", now.name));
    if (is_optional(now) || now.default_value) return;
    breaks("field_needs_default",
           fmt::format("the new field \"{}\" of {} is missing in messages of contract v{}", now.name, title_of(queue_),
                       previous_.version),
           place_of(now.name), compatible_addition(now));
  }

  std::string compatible_addition(const field& now) const {
    if (queue_.is_schemaless) return "keep the fields, and add an optional one of type jsonb for all else";
    auto optional = fmt::format("make it optional ({} = \"{}?\")", now.name, now.type);
    if (!can_have_default(now)) return optional;
    return fmt::format("{} or give it a default for them ({} = {{ type = \"{}\", default = … }})", optional, now.name,
                       now.type);
  }

  void change(field& now, const field& before) {
    now.column = before.column;
    if (storage_type(before.type) != storage_type(now.type)) change_type(now, before);
    if (now.is_new) return;
    if (is_optional(before) != is_optional(now)) change_presence(now);
    if (has_optional_elements(before) != has_optional_elements(now))
      say(fmt::format("changes whether elements of \"{}\" may be null", now.name));
    if (before.default_value != now.default_value) say(fmt::format("changes the default of \"{}\"", now.name));
    const auto limits = [](const field& one) { return std::tie(one.min, one.max, one.max_length, one.pattern); };
    if (limits(before) != limits(now)) say(fmt::format("changes the constraints of \"{}\"", now.name));
    if (before.values != now.values) say(fmt::format("knows new values of \"{}\"", now.name));
  }

  void change_type(field& now, const field& before) {
    now.column = fresh_column(now.name);
    if (is_widened(before.type, now.type)) {
      return say(fmt::format("widens \"{}\" from {} to {}", now.name, before.type, now.type));
    }
    now.is_new = true;
    now.renamed_from.clear();
    say(fmt::format("replaces \"{}\", which was {}, by {}", now.name, before.type, now.type));
    breaks("field_type_changed",
           fmt::format("the type of field \"{}\" of {} was {} and is {}: their values do not convert", now.name,
                       title_of(queue_), before.type, now.type),
           place_of(now.name),
           "keep the type (integers, floats and numerics may get wider), or add a new field beside it with a default");
  }

  void change_presence(const field& now) {
    if (is_optional(now)) return say(fmt::format("makes \"{}\" optional", now.name));
    say(fmt::format("makes \"{}\" required", now.name));
    if (now.default_value) return;
    breaks("required_needs_default",
           fmt::format("the field \"{}\" of {} was optional and is required, but messages of contract v{} may "
                       "lack it",
                       now.name, title_of(queue_), previous_.version),
           place_of(now.name),
           can_have_default(now)
               ? fmt::format("give it a default for them ({} = {{ type = \"{}\", default = … }})", now.name, now.type)
               : std::string{"keep it optional"});
  }

  void remove(const field& before) {
    say(fmt::format("removes the field \"{}\"", before.name));
    const auto is_it = [&](const declaration::field& one) { return one.name == before.name; };
    const auto written = std::find_if(queue_.removed.begin(), queue_.removed.end(), is_it);
    if (written != queue_.removed.end() && !check_removed_type(before, *written)) return;
    if (written != queue_.removed.end() && written->default_value) return leave_value(before, *written);
    if (is_optional(before) || before.default_value) return;
    breaks("removal_needs_default",
           fmt::format("the field \"{}\" of {} is removed, but programs of contract v{} must read it", before.name,
                       title_of(queue_), previous_.version),
           queue_.where, compatible_removal(before));
  }

  std::string compatible_removal(const field& before) const {
    if (previous_.is_schemaless)
      return "keep what they read as a field: rest = { type = \"jsonb\", renamed_from = \"payload\" }";
    if (!can_have_default(before)) {
      return fmt::format(
          "keep it, or make it optional until contract v{} is retired; if it only has another name now, "
          "write renamed_from = \"{}\" there",
          previous_.version, before.name);
    }
    return fmt::format(
        "say what they read instead, in [queues.{}.removed]: {} = {{ type = \"{}\", default = … }}; if "
        "it only has another name now, write renamed_from = \"{}\" there",
        queue_.name, before.name, before.type, before.name);
  }

  bool check_removed_type(const field& before, const declaration::field& written) {
    const auto type = declaration::spell(written.type);
    if (storage_type(type) == storage_type(before.type)) return true;
    refuse("removed_type",
           fmt::format("the removed field \"{}\" was of type {}, not {}", before.name, before.type, type),
           written.where, fmt::format("write type = \"{}\"", before.type));
    return false;
  }

  void leave_value(const field& before, const declaration::field& written) {
    auto value = spell(*written.default_value);
    const auto& known = before.values;
    if (!known.empty() && !written.type.is_array && std::find(known.begin(), known.end(), value) == known.end()) {
      return refuse("removed_value",
                    fmt::format("programs of contract v{} do not know the value \"{}\" that they would read of \"{}\"",
                                previous_.version, value, before.name),
                    written.where, fmt::format("choose one that they know: {}", fmt::join(known, ", ")));
    }
    result_.next.removed.push_back({before.name, std::move(value)});
  }

  /// Fields are the same whatever they are called.
  bool is_unique_changed() const {
    const auto& now = result_.next.unique;
    const auto& before = previous_.unique;
    if (!now || !before) return now.has_value() != before.has_value();
    if (now->is_timed != before->is_timed || now->fields.size() != before->fields.size()) return true;
    return !std::all_of(now->fields.begin(), now->fields.end(), [&](const std::string& name) {
      const auto origin = origin_name(*find_field(result_.next, name));
      return std::find(before->fields.begin(), before->fields.end(), origin) != before->fields.end();
    });
  }

  void evolve_unique() {
    auto& now = result_.next.unique;
    now = unique_of(queue_);
    is_unique_changed_ = is_unique_changed();
    if (!is_unique_changed_) return;
    if (!now) return say("lets messages be the same");
    say(fmt::format("makes messages unique by \"{}\" {}", fmt::join(now->fields, "\", \""),
                    now->is_timed ? "for a time" : "while they are pending"));
  }

  /// What stands in `removed` must have been there.
  void check_removed() {
    for (const auto& each : queue_.removed) {
      const auto has_it = [&](const payload_contract& one) { return find_field(one, each.name) != nullptr; };
      if (std::any_of(contracts_.begin(), contracts_.end(), has_it)) continue;
      refuse("removed_unknown", fmt::format("no contract of {} had a field \"{}\"", title_of(queue_), each.name),
             each.where, "take it out of 'removed'");
    }
  }

  void check_break() {
    if (!queue_.breaks || queue_.breaks->version <= previous_.version || !result_.problems.empty()) return;
    if (accepts_break() && needs_break_) return;
    refuse("break_needless",
           accepts_break() ? fmt::format("'accept_break' has no effect: contract v{} of {} breaks nothing",
                                         result_.next.version, title_of(queue_))
                           : fmt::format("'accept_break' speaks of contract v{}, but the next one of {} is v{}",
                                         queue_.breaks->version, title_of(queue_), result_.next.version),
           queue_.breaks->where, "take it away, or correct its version");
  }

  bool is_changed() const {
    if (result_.next.is_schemaless != previous_.is_schemaless || is_unique_changed_) return true;
    if (result_.next.priorities != previous_.priorities || result_.next.has_headers != previous_.has_headers)
      return true;
    if (result_.next.queue != previous_.queue) return true;
    const auto& now = result_.next.fields;
    const auto& before = previous_.fields;
    const auto is_kept = [](const field& a, const field& b) { return is_same(a, b) && a.column == b.column; };
    return !std::equal(now.begin(), now.end(), before.begin(), before.end(), is_kept);
  }

  std::string fresh_column(const std::string& name) {
    auto column = name;
    for (auto number = result_.next.version; columns_.contains(column); ++number) {
      const auto mark = fmt::format("_v{}", number);
      column = name.substr(0, declaration::longest_identifier - mark.size()) + mark;
    }
    columns_.insert(column);
    return column;
  }

  const declaration::queue& queue_;
  const std::vector<payload_contract>& contracts_;
  const payload_contract& previous_;
  std::set<std::string, std::less<>> columns_;
  std::set<std::string, std::less<>> continued_;  // fields of the contract before that this one has under some name
  bool needs_break_ = false;
  bool is_unique_changed_ = false;
  evolution result_;
};

}  // namespace

evolution evolve(const declaration::project& project, const declaration::queue& queue,
                 const std::vector<payload_contract>& before) {
  return evolver{project, queue, before}.run();
}

payload_contract first_contract(const declaration::project& project, const declaration::queue& queue,
                                const std::vector<payload_contract>& before) {
  payload_contract first{.queue = queue.name,
                         .version = before.empty() ? 1 : before.back().version + 1,
                         .is_schemaless = queue.is_schemaless,
                         .fields = fields_of(project, queue),
                         .priorities = queue.priorities,
                         .has_headers = queue.has_headers,
                         .unique = unique_of(queue)};
  // Its table is new: the names of those before are free again.
  if (first.priorities > 0) first.priority_column = "priority";
  if (before.empty()) return first;
  for (auto& field : first.fields) field.is_new = find_field(before.back(), field.name) != nullptr;
  return first;
}

}  // namespace contract
