#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "contract/contract.hpp"

/// What the spelled types of contracts say of each other.
namespace contract {

/// How values of the type are stored: without its question marks.
std::string storage_type(std::string_view type);

/// `T?`, `T[]?`: the field may be left out.
bool is_optional(const field& field);

/// `T?[]`: its elements may be null.
bool has_optional_elements(const field& field);

/// Whether every value of one type is a value of the other, which is larger: int16 → int32 → int64, float32 → float64,
/// numeric(p,s) with room for as many digits on both sides of the point, and arrays of these.
bool is_widened(std::string_view from, std::string_view to);

}  // namespace contract
