#include "render/queue_model.hpp"

#include "contract/restore.hpp"

namespace render {

queue_model model_of(const sql_project& project, const contract::queue_state& state,
                     const std::vector<contract::locked_enumeration>& enumerations) {
  queue_model result{project.name, project.schema, &state, &enumerations, {}, contract::columns_of(state.contracts)};
  for (const auto* each : contract::live(state.contracts)) {
    result.versions.push_back({each, contract::restore(state, *each, enumerations), contract::fingerprint(*each)});
  }
  return result;
}

}  // namespace render
