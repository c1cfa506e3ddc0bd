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

/// The same of a stream, which has its settings.
queue read_stream(const entry& from, const known_enumerations& known, report& problems);

/// Who reads a stream, in the order in which they are written.
std::vector<stream_consumer> read_consumers(const entry& from, std::string_view stream, report& problems);

/// `where` of the consumers of a stream, of which all else is read, into them. `payload` as for read_unique().
void read_filters(const entry& consumers, queue& of, const entry* payload, const known_enumerations& known,
                  report& problems);

/// How often a message is tried, and when again; `title` is whose that is.
retry_policy read_retry(const entry& from, std::string_view title, report& problems);

/// A field of a queue's payload.
std::optional<field> read_field(const entry& from, std::string_view queue, const known_enumerations& known,
                                report& problems);

/// Which messages of the queue are the same; nothing when that cannot be said. `of` has the fields that could be read
/// of `payload`, which is null when there is none.
std::optional<unique_rule> read_unique(const entry& from, const queue& of, const entry* payload, std::string_view title,
                                       report& problems);

/// How many messages of a queue are in work at once; 0 when that is not limited, or cannot be said.
int read_concurrency(const entry& from, std::string_view title, report& problems);

/// How many of them that have the same key, of a queue of which all else is read. `payload` as for read_unique().
std::optional<ordering> read_key_limit(const entry& concurrency, const queue& of, const entry* payload,
                                       report& problems);

/// How many are handed out in a time.
std::optional<rate_limit> read_rate(const entry& from, std::string_view title, report& problems);

/// `ordered_by` and `on_failure` of a queue, of which all else is read.
std::optional<ordering> read_order(const node& table, const queue& of, report& problems);

/// The same of the cooperative consumers of a stream, into them. `payload` as for read_unique().
void read_orders(const entry& consumers, queue& of, const entry* payload, report& problems);

/// What comes at times, for queues and streams that are read.
std::vector<schedule> read_schedules(const node& root, const project& declared, const known_enumerations& known,
                                     report& problems);

}  // namespace declaration
