#include "quern/contract.hpp"

#include <string>

#include "quern/error.hpp"
#include "quern/sqlstate.hpp"

namespace quern {
namespace {

bool is_not_migrated(const std::string& code) {
  return code == sqlstate::undefined_function || code == sqlstate::invalid_schema_name;
}

failure not_migrated(std::string_view queue, const error& cause) {
  failure details;
  details.message =
      "the database has no queues or streams of this program's schema, as \"" + std::string{queue} + "\" needs";
  details.sqlstate = cause.sqlstate();
  details.detail = cause.message();
  details.hint = "Apply the migrations that belong to this program (quern migrate), or connect to another database.";
  details.statement = cause.statement();
  return details;
}

}  // namespace

void check_contract(connection& on, const prepared& handshake, std::string_view queue, std::int32_t version,
                    std::string_view fingerprint) {
  try {
    on.execute(handshake, queue, version, fingerprint);
  } catch (const database_error& refused) {
    if (!is_not_migrated(refused.sqlstate())) throw;
    throw contract_mismatch{not_migrated(queue, refused)};
  }
}

}  // namespace quern
