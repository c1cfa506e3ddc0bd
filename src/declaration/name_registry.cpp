#include "declaration/name_registry.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "declaration/codes.hpp"
#include "declaration/generated_names.hpp"

namespace declaration {
namespace {

/// A part of the declaration that needs names.
struct owner {
  std::string title;  // "queue 'email'"
  text::span where;
};

/// Contracts of later versions need their names too: each version number stands for all of them.
std::string any_version(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    result += name[i];
    const bool is_version = name[i] == 'v' && i > 0 && name[i - 1] == '_';
    auto end = i + 1;
    while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
    const bool is_whole = is_version && end > i + 1 && (end == name.size() || name[end] == '_');
    if (!is_whole) continue;
    result += '#';
    i = end - 1;
  }
  return result;
}

class name_registry {
 public:
  explicit name_registry(report& problems) : problems_(problems) {}

  /// False when the name is taken; that is reported.
  bool claim(const generated_name& wanted, const owner& by) {
    const auto [first, is_new] = claims_.try_emplace(any_version(wanted.name), claim_of{&by, wanted.what});
    if (is_new || first->second.by == &by) return true;
    const auto& other = first->second;
    auto& problem = problems_.error(code::name_collision, by.where,
                                    fmt::format("{} needs the name '{}' for its {}, and so does {} for its {}",
                                                by.title, wanted.name, wanted.what, other.by->title, other.what));
    if (other.by->where.begin.line > 0)
      problem.notes.push_back({fmt::format("{} is declared here", other.by->title), other.by->where});
    return false;
  }

  void claim_all(const std::vector<generated_name>& names, const owner& by) {
    for (const auto& each : names) {
      if (!claim(each, by)) return;
    }
  }

 private:
  struct claim_of {
    const owner* by;
    std::string_view what;
  };

  std::unordered_map<std::string, claim_of> claims_;
  report& problems_;
};

}  // namespace

void check_collisions(const project& declared, report& problems) {
  name_registry names(problems);
  std::vector<owner> owners;
  owners.reserve(1 + declared.enumerations.size() + declared.queues.size());
  names.claim_all(shared_names(), owners.emplace_back(owner{"what all queues share", {}}));
  for (const auto& each : declared.enumerations) {
    names.claim({each.name, "type"}, owners.emplace_back(owner{fmt::format("the enum '{}'", each.name), each.where}));
  }
  for (const auto& each : declared.queues) {
    const auto& by = owners.emplace_back(owner{fmt::format("the queue '{}'", each.name), each.where});
    names.claim_all(names_of_queue(each.name, 1), by);
  }
}

}  // namespace declaration
