#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace declaration {

/// The contract versions that names leave room for: v1 to v999.
inline constexpr int highest_version = 999;

/// The most priorities that a queue may have.
inline constexpr int most_priorities = 10;

/// What a CHECK constraint asserts of a field.
enum class constraint_kind { min, max, max_length, pattern };

/// The last part of its name: "max_length".
std::string_view constraint_suffix(constraint_kind kind);

/// `<queue>_<field>_<constraint>`; the same on every table of the queue.
std::string constraint_name(std::string_view queue, std::string_view field, constraint_kind kind);

/// A name that is generated for a queue, in the schema or in the C++ namespace.
struct generated_name {
  std::string name;
  std::string_view what;  // "table", "function", "struct", …
  bool is_versioned = false;
};

/// Every generated name of a queue for one contract version ("1"), its own first.
std::vector<generated_name> names_of_queue(std::string_view queue, std::string_view version);

/// Those that a queue with a log has besides.
std::vector<generated_name> names_of_log(std::string_view queue);

/// What a queue that keeps handled messages has besides.
std::vector<generated_name> names_of_done(std::string_view queue);

/// The same of a stream.
std::vector<generated_name> names_of_stream(std::string_view stream, std::string_view version);

/// How many bytes the longest of these names adds to the queue's own.
std::size_t longest_queue_suffix();

/// The same of a stream's.
std::size_t longest_stream_suffix();

/// Names that all queues share, in the schema or in the C++ namespace.
std::vector<generated_name> shared_names();

}  // namespace declaration
