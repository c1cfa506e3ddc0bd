#pragma once

#include <string>

#include "report.hpp"

namespace torture {

/// After the play: hands what is left to every consumer and ends every message. What does not come to an end, or is
/// refused, is a violation.
void drain(const std::string& url, report& into);

}  // namespace torture
