#include "check/codes.hpp"

#include <algorithm>

namespace check {

const std::vector<code_group>& code_groups() {
  static const std::vector<code_group> groups{
      {"the declaration", declaration_codes()},
      {"fields and values of the declaration", field_codes()},
      {"files and templates", file_codes()},
      {"contracts and the lock", contract_codes()},
      {"migrations, their history and generated files", history_codes()},
      {"hooks", hook_codes()},
      {"locks that hooks take", hook_lock_codes()},
      {"what a server says of the migrations", server_codes()},
  };
  return groups;
}

const code* find_code(std::string_view name) {
  for (const code_group& group : code_groups()) {
    const auto place = std::ranges::find(group.codes, name, &code::name);
    if (place != group.codes.end()) return &*place;
  }
  return nullptr;
}

std::vector<std::string_view> code_names() {
  std::vector<std::string_view> names;
  for (const code_group& group : code_groups())
    for (const code& one : group.codes) names.push_back(one.name);
  return names;
}

}  // namespace check
