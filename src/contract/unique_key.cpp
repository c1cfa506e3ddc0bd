#include "contract/unique_key.hpp"

#include <algorithm>

#include "contract/counterpart.hpp"
#include "contract/types.hpp"

namespace contract {

namespace {

const payload_contract& at(const std::vector<payload_contract>& contracts, int version) {
  return contracts[static_cast<std::size_t>(version - 1)];
}

/// Whether the rule of a contract is that of the one before it, whatever its fields are called.
bool continues(const std::vector<payload_contract>& contracts, int version) {
  if (version == 1) return false;
  const auto& now = at(contracts, version);
  const auto& before = at(contracts, version - 1).unique;
  if (!before || before->is_timed != now.unique->is_timed || before->fields.size() != now.unique->fields.size())
    return false;
  return std::all_of(now.unique->fields.begin(), now.unique->fields.end(), [&](const std::string& name) {
    const auto* known = counterpart(contracts, version, *find_field(now, name), version - 1);
    return known != nullptr &&
           std::find(before->fields.begin(), before->fields.end(), known->name) != before->fields.end();
  });
}

}  // namespace

std::optional<unique_key> unique_key_of(const std::vector<payload_contract>& contracts) {
  if (contracts.empty() || !contracts.back().unique) return std::nullopt;
  const int newest = contracts.back().version;
  unique_key result{newest, contracts.back().unique->is_timed, {}};
  while (continues(contracts, result.since)) --result.since;
  for (const auto& name : at(contracts, result.since).unique->fields) {
    const auto* now = counterpart(contracts, result.since, *find_field(at(contracts, result.since), name), newest);
    result.columns.push_back({name, storage_type(now->type), now->max_length});
  }
  return result;
}

const field* field_of(const std::vector<payload_contract>& contracts, const unique_key& key, const key_column& column,
                      int version) {
  return counterpart(contracts, key.since, *find_field(at(contracts, key.since), column.name), version);
}

}  // namespace contract
