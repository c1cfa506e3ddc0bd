#pragma once

#include <array>
#include <string_view>

/// The stable codes of the diagnostics of a declaration; tests/declaration/cases has a case for each.
namespace declaration::code {

inline constexpr std::string_view invalid_utf8 = "invalid_utf8";
inline constexpr std::string_view invalid_toml = "invalid_toml";
inline constexpr std::string_view too_deep = "too_deep";
inline constexpr std::string_view too_large = "too_large";
inline constexpr std::string_view duplicate_key = "duplicate_key";
inline constexpr std::string_view empty_declaration = "empty_declaration";
inline constexpr std::string_view nothing_declared = "nothing_declared";
inline constexpr std::string_view missing_key = "missing_key";
inline constexpr std::string_view unknown_key = "unknown_key";
inline constexpr std::string_view not_built_yet = "not_built_yet";
inline constexpr std::string_view useless_key = "useless_key";
inline constexpr std::string_view wrong_type = "wrong_type";
inline constexpr std::string_view out_of_range = "out_of_range";
inline constexpr std::string_view unknown_value = "unknown_value";
inline constexpr std::string_view nul_character = "nul_character";
inline constexpr std::string_view invalid_duration = "invalid_duration";
inline constexpr std::string_view invalid_name = "invalid_name";
inline constexpr std::string_view reserved_name = "reserved_name";
inline constexpr std::string_view name_too_long = "name_too_long";
inline constexpr std::string_view name_collision = "name_collision";
inline constexpr std::string_view duplicate_value = "duplicate_value";
inline constexpr std::string_view no_values = "no_values";
inline constexpr std::string_view no_fields = "no_fields";
inline constexpr std::string_view too_many_fields = "too_many_fields";
inline constexpr std::string_view invalid_role = "invalid_role";
inline constexpr std::string_view unknown_type = "unknown_type";
inline constexpr std::string_view invalid_type = "invalid_type";
inline constexpr std::string_view invalid_value = "invalid_value";
inline constexpr std::string_view misplaced_constraint = "misplaced_constraint";
inline constexpr std::string_view empty_range = "empty_range";
inline constexpr std::string_view violated_constraint = "violated_constraint";
inline constexpr std::string_view invalid_pattern = "invalid_pattern";
inline constexpr std::string_view unknown_field = "unknown_field";
inline constexpr std::string_view unfit_key = "unfit_key";
inline constexpr std::string_view invalid_order = "invalid_order";
inline constexpr std::string_view invalid_storage = "invalid_storage";
inline constexpr std::string_view invalid_filter = "invalid_filter";
inline constexpr std::string_view invalid_cron = "invalid_cron";
inline constexpr std::string_view invalid_zone = "invalid_zone";
inline constexpr std::string_view unknown_target = "unknown_target";

inline constexpr std::array all{invalid_utf8,
                                invalid_toml,
                                too_deep,
                                too_large,
                                duplicate_key,
                                empty_declaration,
                                nothing_declared,
                                missing_key,
                                unknown_key,
                                not_built_yet,
                                useless_key,
                                wrong_type,
                                out_of_range,
                                unknown_value,
                                nul_character,
                                invalid_duration,
                                invalid_name,
                                reserved_name,
                                name_too_long,
                                name_collision,
                                duplicate_value,
                                no_values,
                                no_fields,
                                too_many_fields,
                                invalid_role,
                                unknown_type,
                                invalid_type,
                                invalid_value,
                                misplaced_constraint,
                                empty_range,
                                violated_constraint,
                                invalid_pattern,
                                unknown_field,
                                unfit_key,
                                invalid_order,
                                invalid_storage,
                                invalid_filter,
                                invalid_cron,
                                invalid_zone,
                                unknown_target};

}  // namespace declaration::code
