#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"
#include "declaration/report.hpp"
#include "declaration/tree.hpp"

/// The parts of a declaration; each reports everything that is wrong with it and gives what could be read.
namespace declaration {

/// What the parts need to know of the enumerations: declared ones of which something is wrong have no values.
struct known_enumerations {
  std::vector<std::string_view> names;
  const std::vector<enumeration>* declared = nullptr;
};

enumeration read_enumeration(const entry& from, report& problems);

queue read_queue(const entry& from, const known_enumerations& known, report& problems);

/// A field of a queue's payload.
std::optional<field> read_field(const entry& from, std::string_view queue, const known_enumerations& known,
                                report& problems);

}  // namespace declaration
