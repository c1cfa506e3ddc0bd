#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contract/contract.hpp"
#include "text/diagnostic.hpp"
#include "text/source.hpp"

namespace contract {

/// The line of the objects that all queues share.
inline constexpr std::string_view core_line = "core";

/// Of the lock's text. Format 1 had no drafts and no columns.
inline constexpr int lock_format = 2;

/// An engine is what the templates make of a state in a database; each is numbered. Locks did not speak of them before
/// there was a second one.
inline constexpr int first_engine = 1;

struct migration {
  std::string file;      // 0001_create.sql
  std::string checksum;  // SHA-256 of its LF-normalised text
  bool operator==(const migration&) const = default;
};

/// Name and value, in the spelling of the declaration.
using option = std::pair<std::string, std::string>;

/// A queue as its migrations leave it.
struct queue_state {
  std::vector<payload_contract> contracts{};  // by version, the retired ones too
  std::vector<option> options{};              // what is spelled into the SQL besides, in a fixed order
  bool is_dropped = false;                    // its objects are gone; the contracts' numbers go on
  bool operator==(const queue_state&) const = default;
};

struct locked_enumeration {
  std::string name;
  std::string doc;
  std::vector<std::string> values;
  bool operator==(const locked_enumeration&) const = default;
};

/// What comes at times, in the spelling of the declaration.
struct locked_schedule {
  std::string name;
  std::vector<option> options;  // with the contract that it speaks, in a fixed order
  bool operator==(const locked_schedule&) const = default;
};

/// What of a line is released: the rest of it is a draft, which the next generation may replace.
struct released_part {
  std::size_t contracts = 0;
  std::size_t retired = 0;  // of them, the oldest
  std::size_t migrations = 0;
  std::vector<option> options{};
  bool is_dropped = false;
  std::vector<locked_enumeration> enumerations{};  // of the line core only
  int engine = first_engine;
  std::vector<locked_schedule> schedules{};  // of the line core only
  bool operator==(const released_part&) const = default;
};

/// The history of one queue or, named `core`, of the shared objects, which have no state of their own.
struct line {
  std::string name;
  queue_state state{};
  std::vector<migration> migrations{};
  std::optional<released_part> released{};  // nothing: all of it
  int engine = first_engine;                // that its objects are of
  bool operator==(const line&) const = default;
};

/// `migrations/quern.lock`: every contract, released or drafted, and the checksum of every migration. Enumerations,
/// lines and schedules are sorted by name. A lock without lines is the one before the first generation.
struct lock {
  std::string project;
  std::string schema;
  std::vector<locked_enumeration> enumerations;
  std::vector<line> lines;
  std::vector<locked_schedule> schedules{};
  bool operator==(const lock&) const = default;
};

/// The line of that name, or null.
const line* find_line(const lock& lock, std::string_view name);

/// The lock without its drafts: what nothing may change any more.
lock without_drafts(const lock& lock);

/// The lock with its drafts released.
lock with_drafts_released(lock lock);

/// What `own` has to be changed from when everything in `base` counts as released: the base, and what is released of
/// the lines of which `own` has more.
lock onto(const lock& own, const lock& base);

/// What is released of the line, all of which is, with the enumerations when it is the core.
released_part all_of(const line& line, const lock& lock);

/// Whether it is of a stream.
bool is_stream(const queue_state& state);
/// Whether it is a queue with storage = "log".
bool is_log(const queue_state& state);

/// What of a queue is spelled into its SQL besides the contract.
std::vector<option> options_of(const declaration::queue& queue);

/// What a lock says about an enumeration.
locked_enumeration locked(const declaration::enumeration& enumeration);

struct read_lock_result {
  lock value;  // only when there are no diagnostics
  std::vector<text::diagnostic> diagnostics;
};

/// Reads a lock. Not JSON, a conflict that was not resolved, a key twice, unknown or missing, an unknown format and a
/// fingerprint that does not fit its contract are diagnostics.
read_lock_result read_lock(const text::source& source);

/// The lock as text: the same lock gives the same bytes.
std::string write_lock(const lock& lock);

}  // namespace contract
