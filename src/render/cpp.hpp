#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"

/// How values are spelled in C++20.
namespace render::cpp {

/// What stands between the quotes of a string literal: one line, without trigraphs, never more than it says.
std::string escaped(std::string_view text);

/// The lines of a text for `///` comments: no line continues into the next one, none holds a control character.
std::vector<std::string> comment_lines(std::string_view text);

/// The name that enumerations are qualified with from anywhere: `shop`, or `::shop` where something inside of the
/// namespace has its name.
std::string qualifier(const declaration::project& project);

/// The type of a member: std::optional<std::vector<shop::channel>>.
std::string type(const declaration::field_type& type, std::string_view qualifier);

/// What follows a member's name: `{}`, ` = shop::channel::email`, `{5}`.
std::string initializer(const declaration::field& field, std::string_view qualifier);

/// The headers that a struct of these fields needs, beside quern's.
std::vector<std::string> headers(const std::vector<declaration::field>& fields);

/// What the constraints say to a reader of the header, as sentences.
std::vector<std::string> constraint_lines(const declaration::field& field);

/// `-4615713571523186407`, in a form that a compiler takes without a warning for every value.
std::string integer(std::int64_t value);

}  // namespace render::cpp
