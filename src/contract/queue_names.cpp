#include "contract/queue_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace contract {

namespace {

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

bool owns(const line& line, std::string_view name) {
  const auto has_name = [&](const payload_contract& one) { return one.queue == name; };
  return line.name == name || std::any_of(line.state.contracts.begin(), line.state.contracts.end(), has_name);
}

/// One rename at a time.
class placement {
 public:
  placement(const declaration::project& project, const lock& released) : project_{project}, released_{released} {}

  queue_places run() && {
    for (const auto& queue : project_.queues) result_.of.push_back(place(queue));
    return std::move(result_);
  }

 private:
  queue_place refuse(std::string_view code, std::string message, const text::span& where, std::string help) {
    result_.problems.push_back(
        {text::severity::error, std::string{code}, std::move(message), where, std::move(help), {}});
    return {.is_refused = true};
  }

  bool is_declared(std::string_view name) const {
    return std::any_of(project_.queues.begin(), project_.queues.end(),
                       [&](const declaration::queue& one) { return one.name == name; });
  }

  bool is_removed(std::string_view name) const {
    return std::any_of(project_.removed_queues.begin(), project_.removed_queues.end(),
                       [&](const declaration::removed_queue& one) { return one.name == name; });
  }

  queue_place place(const declaration::queue& queue) {
    const auto* owner = find_owner(released_, queue.name);
    if (owner != nullptr && !owner->state.is_dropped && queue_name(*owner) == queue.name) {
      return place_known(queue, *owner);
    }
    const bool continues_dropped = owner != nullptr && owner->state.is_dropped;
    // Of a queue that was dropped and is made again, the key may still stand there.
    const bool is_left = continues_dropped && owns(*owner, queue.renamed_from);
    if (!queue.renamed_from.empty() && !is_left) return rename(queue, owner);
    if (owner == nullptr) return {queue.name, nullptr};
    if (!continues_dropped) return refuse_former(queue, *owner);
    if (!taken_.insert(owner->name).second) {
      return refuse("queue_name_taken",
                    fmt::format("the {} \"{}\" would be made again under another name too", kind_of(queue), queue.name),
                    queue.where, "two queues cannot have the migrations of one: give it a name that was never used");
    }
    return {owner->name, owner};
  }

  /// Already called so; what is said of its former name may be of a rename before.
  queue_place place_known(const declaration::queue& queue, const line& line) {
    if (queue.renamed_from.empty() || owns(line, queue.renamed_from)) return {line.name, &line};
    mention(line);
    if (const auto* other = find_queue(released_, queue.renamed_from)) {
      mention(*other);
      return refuse("queue_rename_ambiguous",
                    fmt::format("the {} \"{}\" is said to be renamed from \"{}\", but both are released",
                                kind_of(queue), queue.name, queue.renamed_from),
                    queue.renamed_where,
                    "take 'renamed_from' away, or choose a name that was never used; to bring the two together, "
                    "let one of them drain");
    }
    return refuse("queue_rename_unknown",
                  fmt::format("the {} \"{}\" was never called \"{}\"", kind_of(queue), queue.name, queue.renamed_from),
                  queue.renamed_where, "take 'renamed_from' away, or correct the name");
  }

  queue_place rename(const declaration::queue& queue, const line* owner) {
    const auto& former = queue.renamed_from;
    const auto* line = find_queue(released_, former);
    if (line == nullptr) return refuse_unknown(queue);
    if (owner != nullptr && owner != line) return refuse_taken(queue, *owner);
    if (is_declared(former)) {
      return refuse("queue_rename_ambiguous",
                    fmt::format("the {} \"{}\" is said to be renamed to \"{}\", but is declared still", kind_of(queue),
                                former, queue.name),
                    queue.renamed_where,
                    fmt::format("take [{}s.{}] out, or 'renamed_from' away", kind_of(queue), former));
    }
    if (is_removed(former)) {
      return refuse("queue_rename_ambiguous",
                    fmt::format("the {} \"{}\" is said to be renamed to \"{}\", and to be removed", kind_of(queue),
                                former, queue.name),
                    queue.renamed_where,
                    fmt::format("take [removed_{}s.{}] out, or 'renamed_from' away", kind_of(queue), former));
    }
    if (!taken_.insert(line->name).second) {
      return refuse("queue_rename_ambiguous",
                    fmt::format("two {}s are said to be renamed from \"{}\"", kind_of(queue), former),
                    queue.renamed_where, "take 'renamed_from' away from one of them");
    }
    return {line->name, line};
  }

  queue_place refuse_unknown(const declaration::queue& queue) {
    const auto& former = queue.renamed_from;
    const auto* line = find_owner(released_, former);
    auto message = fmt::format("there is no released {} \"{}\" that \"{}\" could be renamed from", kind_of(queue),
                               former, queue.name);
    if (line == nullptr) {
      return refuse("queue_rename_unknown", std::move(message), queue.renamed_where,
                    "what is not released can have any name: take 'renamed_from' away, or correct it");
    }
    if (line->state.is_dropped) {
      return refuse("queue_rename_unknown", std::move(message), queue.renamed_where,
                    "it was dropped: take 'renamed_from' away");
    }
    mention(*line);
    return refuse("queue_rename_unknown", std::move(message), queue.renamed_where,
                  fmt::format("it is called \"{0}\" now: write renamed_from = \"{0}\"", queue_name(*line)));
  }

  queue_place refuse_taken(const declaration::queue& queue, const line& owner) {
    mention(*find_queue(released_, queue.renamed_from));
    return refuse("queue_name_taken",
                  owner.state.is_dropped ? fmt::format("the name \"{}\" was that of a {} that was dropped", queue.name,
                                                       kind_of(owner.state))
                                         : fmt::format("the name \"{}\" belongs to the {} \"{}\", which had it before",
                                                       queue.name, kind_of(owner.state), queue_name(owner)),
                  queue.where,
                  "its migrations are history: every new database plays them, under that name; choose one that was "
                  "never used");
  }

  queue_place refuse_former(const declaration::queue& queue, const line& owner) {
    const auto& now = queue_name(owner);
    if (!is_declared(now)) mention(owner);
    return refuse(
        "queue_name_taken",
        fmt::format("the name \"{}\" belongs to the {} \"{}\", which had it before", queue.name, kind_of(owner.state),
                    now),
        queue.where,
        is_declared(now)
            ? "programs may call it so, and its tables keep the name: choose one that was never used"
            : fmt::format("if that is to be called \"{}\" again, write renamed_from = \"{}\"", queue.name, now));
  }

  /// One problem with it is enough.
  void mention(const line& line) { result_.mentioned.push_back(line.name); }

  const declaration::project& project_;
  const lock& released_;
  std::set<std::string_view> taken_;  // lines that a queue continues under another name
  queue_places result_;
};

}  // namespace

std::string_view kind_of(const declaration::queue& queue) {
  return queue.stream ? "stream" : "queue";
}

std::string_view kind_of(const queue_state& state) {
  return is_stream(state) ? "stream" : "queue";
}

std::string title_of(const declaration::queue& queue) {
  return fmt::format("{} \"{}\"", kind_of(queue), queue.name);
}

const std::string& queue_name(const line& line) {
  return line.state.contracts.empty() ? line.name : line.state.contracts.back().queue;
}

std::vector<std::string> live_names(const queue_state& state) {
  std::vector<std::string> newest_first;
  const auto alive = live(state.contracts);
  for (auto one = alive.rbegin(); one != alive.rend(); ++one) add_name(newest_first, (*one)->queue);
  return {newest_first.rbegin(), newest_first.rend()};
}

std::vector<std::string> all_names(const queue_state& state) {
  std::vector<std::string> names;
  for (auto one = state.contracts.rbegin(); one != state.contracts.rend(); ++one) add_name(names, one->queue);
  return names;
}

queue_doors doors_of(const std::string& line, const queue_state& state) {
  return {line, state.is_dropped ? std::vector<std::string>{} : all_names(state)};
}

const line* find_queue(const lock& lock, std::string_view name) {
  const auto is_it = [&](const line& one) {
    return one.name != core_line && !one.state.is_dropped && queue_name(one) == name;
  };
  const auto place = std::find_if(lock.lines.begin(), lock.lines.end(), is_it);
  return place == lock.lines.end() ? nullptr : &*place;
}

const line* find_owner(const lock& lock, std::string_view name) {
  if (const auto* present = find_queue(lock, name)) return present;
  const auto is_it = [&](const line& one) { return one.name != core_line && owns(one, name); };
  const auto place = std::find_if(lock.lines.begin(), lock.lines.end(), is_it);
  return place == lock.lines.end() ? nullptr : &*place;
}

queue_places place_queues(const declaration::project& project, const lock& released) {
  return placement{project, released}.run();
}

std::vector<declaration::former_name> former_names(const declaration::queue& queue, std::string_view line,
                                                   const queue_state& after) {
  auto names = live_names(after);
  add_name(names, std::string{line});
  std::vector<declaration::former_name> result;
  for (auto& name : names) {
    if (name != queue.name) result.push_back({std::move(name), queue.name, queue.where});
  }
  return result;
}

}  // namespace contract
