#pragma once

#include <string>
#include <vector>

#include "declaration/model.hpp"
#include "declaration/report.hpp"

namespace declaration {

/// A name under which the objects of a queue stay, besides its present one.
struct former_name {
  std::string name;
  std::string queue;  // what it is called now
  text::span where;
};

/// Reports `name_collision` where two parts of a project would generate the same name, in SQL or in C++; of two parts
/// once.
void check_collisions(const project& declared, const std::vector<former_name>& former, report& problems);

}  // namespace declaration
