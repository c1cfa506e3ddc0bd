#pragma once

#include <optional>
#include <string>

#include "declaration/model.hpp"
#include "declaration/read_parts.hpp"
#include "declaration/report.hpp"
#include "declaration/tree.hpp"

namespace declaration {

/// A table as a message of the queue, in JSON: one line, the keys in the order in which they are written. What does not
/// fit the payload is reported at its place; nothing then. `payload` is the queue's own, null when it has none: of its
/// fields that could not be read nothing is said twice.
std::optional<std::string> read_payload_json(const entry& from, const queue& of, const entry* payload,
                                             const known_enumerations& known, report& problems);

/// The fields that a message cannot be without.
std::vector<std::string_view> required_fields(const queue& of);

}  // namespace declaration
