#pragma once

#include <string>

#include "render/templates.hpp"

/// Two engines that are made up, each out of the program's templates with changes of its own.
namespace test {

/// Which has objects that the second one gives up.
const render::template_set& first_engine();

/// Which makes functions, a view, tables and rights otherwise, and needs steps for some of it.
const render::template_set& second_engine();

/// The program's templates under the next number: nothing in a database differs.
const render::template_set& renumbered_engine();

/// The program's templates under the next number, with a text behind that of one of them, or in place of a part of it.
render::template_set next_engine(const std::string& name, const std::string& part, const std::string& instead);

}  // namespace test
