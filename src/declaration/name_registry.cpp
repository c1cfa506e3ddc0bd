#include "declaration/name_registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/generated_names.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

/// A part of the declaration with the names that it needs.
struct owner {
  std::string title;  // "the queue 'email'"
  text::span where;
  std::vector<generated_name> names;
};

/// A name as it would be with any version in place of each `_v1` in it, one at a time: "email_v#".
std::vector<std::string> any_version(std::string_view name) {
  std::vector<std::string> result;
  for (auto at = name.find("_v"); at != std::string_view::npos; at = name.find("_v", at + 2)) {
    const auto digits = at + 2;
    const auto end = std::min(name.find_first_not_of("0123456789", digits), name.size());
    if (end == digits || (end < name.size() && name[end] != '_')) continue;
    result.push_back(fmt::format("{}#{}", name.substr(0, digits), name.substr(end)));
  }
  return result;
}

/// Contracts of later versions need names too: those names are held for all versions, with '#' as the number.
class name_registry {
 public:
  explicit name_registry(report& problems) : problems_(problems) {}

  void claim(const owner& by) {
    for (const auto& wanted : by.names) {
      const auto [first, is_new] = claims_.try_emplace(wanted.name, claim_of{&by, &wanted});
      if (!is_new && first->second.by != &by) refuse(wanted, by, first->second);
    }
  }

  /// Names with a number that another one's contract could come to have.
  void check_versions(const owner& by) {
    for (const auto& wanted : by.names) {
      for (const auto& pattern : any_version(wanted.name)) {
        const auto found = claims_.find(pattern);
        if (found != claims_.end() && found->second.by != &by) refuse(wanted, by, found->second);
      }
    }
  }

 private:
  struct claim_of {
    const owner* by;
    const generated_name* wanted;
  };

  void refuse(const generated_name& wanted, const owner& by, const claim_of& first) {
    if (!refused_.emplace(std::min(&by, first.by), std::max(&by, first.by)).second) return;
    const bool is_later = first.by->where.begin > by.where.begin;
    const auto& [second_by, second] = is_later ? first : claim_of{&by, &wanted};
    const auto& other = is_later ? by : *first.by;
    const auto& others_name = is_later ? wanted : *first.wanted;
    auto& problem =
        problems_.error(code::name_collision, second_by->where,
                        fmt::format("{} needs the name '{}' for its {}, and so does {} for its {}", second_by->title,
                                    spelled(*second, others_name), second->what, other.title, others_name.what));
    if (other.where.begin.line > 0)
      problem.notes.push_back({fmt::format("{} is declared here", other.title), other.where});
  }

  /// The one of both with a version in it.
  static std::string spelled(const generated_name& a, const generated_name& b) {
    auto name = a.name.find('#') == std::string::npos ? a.name : b.name;
    std::replace(name.begin(), name.end(), '#', '1');
    return name;
  }

  std::unordered_map<std::string_view, claim_of> claims_;
  std::set<std::pair<const owner*, const owner*>> refused_;  // of two parts one collision is enough
  report& problems_;
};

/// Two parts can need the same name only where the name of one begins with the whole of the other's: the names of all
/// others, most in a large project, need not be looked at.
class overlap_finder {
 public:
  overlap_finder(const project& declared, const std::vector<former_name>& former) {
    for (const auto& each : declared.enumerations) add(each.name);
    for (const auto& each : declared.queues) add(each.name);
    for (const auto& each : former) add(each.name);
    for (const auto& each : declared.enumerations) look_at(each.name);
    for (const auto& each : declared.queues) look_at(each.name);
    for (const auto& each : former) look_at(each.name);
  }

  bool overlaps(std::string_view name) const { return overlapping_.contains(name); }

 private:
  void add(std::string_view name) {
    if (!names_.insert(name).second) overlapping_.insert(name);
  }

  void look_at(std::string_view name) {
    for (auto at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
      const auto beginning = name.substr(0, at);
      if (!names_.contains(beginning)) continue;
      overlapping_.insert(beginning);
      overlapping_.insert(name);
    }
  }

  std::unordered_set<std::string_view> names_;
  std::unordered_set<std::string_view> overlapping_;
};

std::vector<owner> owners_of(const project& declared, const std::vector<former_name>& former) {
  const overlap_finder found(declared, former);
  std::vector<owner> owners;
  owners.push_back({"the part that all queues share", {}, shared_names()});
  for (const auto& each : declared.enumerations) {
    owners.push_back({fmt::format("the enum '{}'", text::clipped(each.name)), each.where, {{each.name, "type"}}});
  }
  for (const auto& each : declared.queues) {
    const auto* const kind = each.stream ? "stream" : "queue";
    std::vector<generated_name> names{{each.name, each.stream ? "struct" : "view"}};
    if (found.overlaps(each.name))
      names = each.stream ? names_of_stream(each.name, "#") : names_of_queue(each.name, "#");
    if (each.is_log && found.overlaps(each.name)) {
      for (auto& name : names_of_log(each.name)) names.push_back(std::move(name));
    }
    if (each.keep_done && found.overlaps(each.name)) {
      for (auto& name : names_of_done(each.name)) names.push_back(std::move(name));
    }
    owners.push_back({fmt::format("the {} '{}'", kind, text::clipped(each.name)), each.where, std::move(names)});
  }
  for (const auto& [name, queue, where] : former) {
    auto names = found.overlaps(name) ? names_of_queue(name, "#") : std::vector<generated_name>{{name, "view"}};
    owners.push_back({fmt::format("the queue '{}', which was called '{}',", queue, name), where, std::move(names)});
  }
  return owners;
}

}  // namespace

void check_collisions(const project& declared, const std::vector<former_name>& former, report& problems) {
  const auto owners = owners_of(declared, former);
  name_registry names(problems);
  for (const auto& each : owners) names.claim(each);
  for (const auto& each : owners) names.check_versions(each);
}

}  // namespace declaration
