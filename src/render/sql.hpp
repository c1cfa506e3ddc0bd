#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"

/// How values are spelled in SQL: for PostgreSQL 14 and newer, whatever standard_conforming_strings says.
namespace render::sql {

/// A name as an identifier: in double quotes where PostgreSQL or PL/pgSQL reserves the word, or where it is not plain.
std::string identifier(std::string_view name);

/// `a, "order", b`
std::string identifiers(const std::vector<std::string>& names);

/// A text as a literal that stands on one line, whatever the text contains: 'it''s', E'two\nlines'.
std::string literal(std::string_view text);

/// `interval '30 seconds'`, in the largest unit up to hours that divides it. (A day has not always 24 hours.)
std::string interval(std::int64_t microseconds);

/// The type of a column: bigint, numeric(10,2), shop.channel, uuid[].
std::string type(const declaration::field_type& type, std::string_view schema);

/// A default or bound of a field of that type, as an expression that PostgreSQL takes for the type where the context
/// says which it is (a default, a comparison with the column).
std::string value(const declaration::value& value, const declaration::field_type& type);

/// The same where nothing around it says which type it is: between the parentheses of coalesce().
std::string typed_value(const declaration::value& value, const declaration::field_type& type);

/// The delay before the next attempt as an interval out of `p_attempt`, the number of the attempt that has failed.
std::string retry_delay(const declaration::retry_policy& retry);

/// The field's value out of the jsonb `p_payload`, whose keys and JSON types have been checked.
std::string from_json(const declaration::field& field, std::string_view schema);

/// What a JSON payload must hold for the field: number string boolean array any, with `?` where it may be left out.
std::string json_type(const declaration::field& field);

}  // namespace render::sql
