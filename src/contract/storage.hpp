#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/contract.hpp"

/// How the messages of all live contracts of a queue share one table, and how each contract reads those of the others.
///
/// A row bears the contract that wrote it. Its values stand in the columns of that contract; whoever reads as another
/// contract converts. Columns that the writer does not know hold their fill.
namespace contract {

/// A column of the payload.
struct stored_column {
  std::string name;
  std::string type;                 // in the spelling of the declaration, without question marks
  bool is_required = false;         // holds a value in the rows of every contract
  std::optional<std::string> fill;  // its default: what rows of contracts that do not know it hold
};

/// In the order in which they came into being. Needs all contracts, the retired ones too; some must be live.
std::vector<stored_column> columns_of(const std::vector<payload_contract>& contracts);

/// What a contract must ask of a value before it can take it for its own.
struct conversion {
  bool is_possible = true;              // else no message of the writer can be read
  std::string column;                   // where the value stands
  std::string from_type;                // of the column
  std::string to_type;                  // both without question marks: a cast where they differ
  std::optional<std::string> instead;   // of a null
  bool needs_value = false;             // a null cannot be read
  bool needs_range = false;             // the reader's type is smaller
  bool needs_elements = false;          // an array with nulls cannot be read
  std::optional<std::string> min, max;  // limits of the reader that the writer does not hold
  std::optional<std::int64_t> max_length;
  std::optional<std::string> pattern;
  std::vector<std::string> values;  // of an enumeration that the reader knows, when the writer knows others

  bool is_plain() const;  // every value of the writer can be read
  bool operator==(const conversion&) const = default;
};

/// How `reader` gets its field out of a row that `writer` wrote; both are live.
conversion convert(const std::vector<payload_contract>& contracts, const payload_contract& reader, const field& wanted,
                   const payload_contract& writer);

}  // namespace contract
