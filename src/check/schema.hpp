#pragma once

#include <string>

namespace check {

/// The JSON schema (draft 2020-12) of a declaration, for editors: what the reader refuses by form, it refuses. Ends
/// with a line end.
std::string declaration_schema();

}  // namespace check
