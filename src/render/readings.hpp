#pragma once

#include <string>
#include <string_view>

#include "render/queue_model.hpp"

/// How a contract reads the rows of all live contracts, in SQL.
namespace render {

/// The value of the reader's field out of the row called `alias`: `m.note`, or a case over the contract that wrote it.
std::string value_of(const queue_model& model, const queue_version& reader, const contract::field& field,
                     std::string_view alias);

/// Whether the reader can read the row called `alias`: `m.contract_version = 1`.
std::string readable(const queue_model& model, const queue_version& reader, std::string_view alias);

/// Whether that is all that any live contract writes.
bool reads_all(const queue_model& model, const queue_version& reader);

/// `contract_version = 1`, `contract_version in (1, 2)`; `column` is what stands for contract_version.
std::string one_of_versions(std::string_view column, const std::vector<int>& versions);

}  // namespace render
