#include "contract/counterpart.hpp"

#include <algorithm>
#include <cstddef>

namespace contract {

std::string origin_name(const field& of) {
  if (of.is_new) return {};
  return of.renamed_from.empty() ? of.name : of.renamed_from;
}

const field* counterpart(const std::vector<payload_contract>& contracts, int version, const field& of, int in_version) {
  const auto at = [&](int number) -> const payload_contract& {
    return contracts[static_cast<std::size_t>(number - 1)];
  };
  const field* found = &of;
  for (; found != nullptr && version > in_version; --version) found = find_field(at(version - 1), origin_name(*found));
  for (; found != nullptr && version < in_version; ++version) {
    const auto& next = at(version + 1).fields;
    const auto continues = [&](const field& one) { return origin_name(one) == found->name; };
    const auto place = std::find_if(next.begin(), next.end(), continues);
    found = place == next.end() ? nullptr : &*place;
  }
  return found;
}

}  // namespace contract
