#pragma once

#include <string>
#include <string_view>

#include "migrate/migration.hpp"
#include "migrate/script.hpp"

namespace migrate {

/// The one message that applies a step: its transaction, its timeouts, its SQL, its row in the ledger.
std::string step_script(std::string_view schema, const migration& one, std::size_t step);

/// What the server said about a step_script() that failed, with `file:line:` where that is known.
std::string explain(const migration& one, std::size_t step, const script_failure& failed);

}  // namespace migrate
