#pragma once

#include <string>
#include <string_view>

namespace test {

class session;

/// So that the ids of the next transactions are far beyond those of a new cluster.
void use_up_transaction_ids(session& db);

/// Dumps a schema and restores it into another server, whose sequences and rows are then those of the first: as they
/// are, or as a snapshot sees them that pg_export_snapshot has given.
void move_schema(const std::string& from, const std::string& schema, const std::string& to,
                 std::string_view snapshot = {});

}  // namespace test
