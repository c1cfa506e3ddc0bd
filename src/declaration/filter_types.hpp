#pragma once

#include <string>

#include "declaration/filter.hpp"

namespace declaration {

/// What a part of a filter is. Literals in quotes and nulls are of no type until something around them has one.
struct filter_type {
  enum class state { known, literal, null, wrong } is = state::wrong;
  field_type type{};
  bool has_field = false;  // else it is the same for all events

  bool is_known() const { return is == state::known; }
  bool is_wrong() const { return is == state::wrong; }
};

/// Whether values of the two can be compared as they are.
bool is_same_kind(const field_type& a, const field_type& b);

bool is_number(const field_type& type);

/// "a number", "text", "an array of text": for messages.
std::string words_of(const field_type& type);

/// Whether a value of one type can be made one of the other, the same everywhere and whenever it is done.
bool can_cast(const field_type& from, const field_type& to);

/// Makes a literal one of the type: its text becomes what PostgreSQL takes for it. What is wrong otherwise.
std::optional<filter_problem> fit_literal(filter_node& literal, const field_type& to, const filter_scope& scope);

/// The same of a number that is cast.
std::optional<filter_problem> fit_number(const filter_node& number, const field_type& to);

/// Whether what is written is a number that every type of numbers can be compared with.
bool is_plain_number(const std::string& written);

/// Why a pattern of like cannot be used; empty when it is fine.
std::string trouble_of_like(std::string_view pattern);

/// Whether an enumeration that a cast names is declared.
std::optional<filter_problem> check_enumeration(const filter_node& cast, const filter_scope& scope);

}  // namespace declaration
