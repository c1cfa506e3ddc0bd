#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "render/queue_model.hpp"
#include "render/table_shape.hpp"

/// What `ordered_by` needs of SQL: keys are compared, locked and looked for by their hash, a bigint.
namespace render {

/// Whether a queue is ordered, and whether a dead letter keeps the later messages of its key back.
bool is_ordered(const queue_model& model);
bool is_blocking(const queue_model& model);

/// The column of the key; empty when the queue is not ordered.
std::string key_column(const queue_model& model);

/// Whether messages may have no key, and no order then.
bool has_unordered(const queue_model& model);

/// The hash of a row's key, null where it has none: `hashint8extended(m.customer_id, 0)`. Without an alias for an
/// index.
std::string key_of(const queue_model& model, std::string_view alias = {});

/// The same by a field of the newest contract: of a consumer of a stream.
std::string key_by(const queue_model& model, std::string_view field, std::string_view alias);

/// The column of a field of the newest contract, as an identifier.
std::string column_of(const queue_model& model, std::string_view field);

/// In which keys, and the messages of each in their order, are found.
std::vector<table_index> order_indexes(const queue_model& model);

}  // namespace render
