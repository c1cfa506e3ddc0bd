#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/contract.hpp"

/// What makes messages of all live contracts of a queue the same: the rule of the newest one, which they all keep.
namespace contract {

/// A part of the key. Its name is that of the field when the rule began.
struct key_column {
  std::string name;
  std::string type;                        // of the field in the newest contract, without question marks
  std::optional<std::int64_t> max_length;  // of its text or bytes
};

struct unique_key {
  int since = 0;  // the contract with which the rule began
  bool is_timed = false;
  std::vector<key_column> columns;
};

/// Of the newest contract; nothing when it has no rule, or when there is no contract.
std::optional<unique_key> unique_key_of(const std::vector<payload_contract>& contracts);

/// The field of a contract that holds a part of the key; null when it has none: its messages are not limited.
const field* field_of(const std::vector<payload_contract>& contracts, const unique_key& key, const key_column& column,
                      int version);

}  // namespace contract
