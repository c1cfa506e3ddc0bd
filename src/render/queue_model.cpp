#include "render/queue_model.hpp"

#include "contract/priorities.hpp"
#include "contract/queue_names.hpp"
#include "contract/restore.hpp"

namespace render {

std::vector<int> queue_model::later_priorities() const {
  std::vector<int> result;
  for (int level = 1; level < priorities; ++level) result.push_back(level);
  return result;
}

queue_model model_of(const sql_project& project, const std::string& line, const contract::queue_state& state,
                     const std::vector<contract::locked_enumeration>& enumerations) {
  const auto& contracts = state.contracts;
  queue_model result{project.name,
                     project.schema,
                     line,
                     &state,
                     &enumerations,
                     {},
                     contract::columns_of(contracts),
                     contract::live_names(state),
                     contract::priorities_of(contracts)};
  if (result.priorities > 0) result.priority = contract::priority_column(contracts);
  result.has_headers = contract::have_headers(contracts);
  for (const auto* each : contract::live(contracts)) {
    result.versions.push_back({each, contract::restore(state, *each, enumerations), contract::fingerprint(*each)});
  }
  return result;
}

}  // namespace render
