#include "declaration/generated_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace declaration {
namespace {

struct suffix {
  std::string_view before;  // the version, when there is one
  std::string_view what;
  bool is_versioned = false;
  std::string_view after = {};
};

constexpr std::array suffixes{
    suffix{"", "view"},
    suffix{"_message", "table"},
    suffix{"_message_key", "index"},
    suffix{"_message_priority", "index"},
    suffix{"_delayed", "table"},
    suffix{"_delayed_key", "index"},
    suffix{"_delayed_due", "index"},
    suffix{"_delayed_priority", "index"},
    suffix{"_dead", "table"},
    suffix{"_dead_key", "index"},
    suffix{"_unique", "table", true},
    suffix{"_unique", "index", true, "_key"},
    suffix{"_unique", "index", true, "_ended"},
    suffix{"_message_id", "sequence"},
    suffix{"_low_water", "sequence"},
    suffix{"_mark", "sequence"},
    suffix{"_mark_xid", "sequence"},
    suffix{"", "sequence", true, "_frontier"},
    suffix{"", "sequence", true, "_swept_at"},
    suffix{"", "sequence", true, "_produced_at"},
    suffix{"_enqueue", "function", true},
    suffix{"_enqueue_many", "function", true},
    suffix{"_enqueue_json", "function", true},
    suffix{"_wake", "function", true},
    suffix{"_claim", "function", true},
    suffix{"_claim_json", "function", true},
    suffix{"_take", "function", true},
    suffix{"_pick", "function", true},
    suffix{"_enqueue_json", "function"},
    suffix{"_claim_json", "function"},
    suffix{"_ack", "function"},
    suffix{"_ack_many", "function"},
    suffix{"_nack", "function"},
    suffix{"_extend", "function"},
    suffix{"_release", "function"},
    suffix{"_redrive", "function"},
    suffix{"_redrive_all", "function"},
    suffix{"_purge", "function"},
    suffix{"_stats", "function"},
    suffix{"_pause", "function"},
    suffix{"_resume", "function"},
    suffix{"_wake", "function"},
    suffix{"_next_due", "function", true},
    suffix{"_attempt", "function"},
    suffix{"_bury", "function"},
    suffix{"_retry_delay", "function"},
    suffix{"_advance_low_water", "function"},
    suffix{"_door", "function"},
    suffix{"_hold_key", "function"},
    suffix{"_free_key", "function"},
    suffix{"_contract_version_known", "constraint"},
    suffix{"", "struct", true},
    suffix{"", "struct", true, "_contract"},
    suffix{"", "type", true, "_producer"},
    suffix{"", "type", true, "_message"},
    suffix{"", "type", true, "_consumer"},
    suffix{"_producer", "type"},
    suffix{"_consumer", "type"},
};

/// These stand for priority 0; the others have one of each too, with their number behind it.
constexpr std::array of_each_priority{
    suffix{"_low_water", "sequence"},
    suffix{"", "sequence", true, "_frontier"},
    suffix{"", "sequence", true, "_swept_at"},
};

std::string spelled(std::string_view queue, const suffix& s, std::string_view version) {
  std::string name(queue);
  name += s.before;
  if (s.is_versioned) name.append("_v").append(version).append(s.after);
  return name;
}

}  // namespace

std::string_view constraint_suffix(constraint_kind kind) {
  switch (kind) {
    case constraint_kind::min:
      return "min";
    case constraint_kind::max:
      return "max";
    case constraint_kind::max_length:
      return "max_length";
    case constraint_kind::pattern:
      return "pattern";
  }
  assert(false);
  return "";
}

std::string constraint_name(std::string_view queue, std::string_view field, constraint_kind kind) {
  return fmt::format("{}_{}_{}", queue, field, constraint_suffix(kind));
}

std::vector<generated_name> names_of_queue(std::string_view queue, std::string_view version) {
  std::vector<generated_name> names;
  names.reserve(suffixes.size() + of_each_priority.size() * (most_priorities - 1));
  for (const auto& s : suffixes) names.push_back({spelled(queue, s, version), s.what, s.is_versioned});
  for (int priority = 1; priority < most_priorities; ++priority) {
    for (const auto& s : of_each_priority)
      names.push_back({fmt::format("{}_{}", spelled(queue, s, version), priority), s.what, s.is_versioned});
  }
  return names;
}

std::size_t longest_queue_suffix() {
  std::size_t longest = 0;
  for (const auto& s : suffixes) longest = std::max(longest, spelled("", s, std::to_string(highest_version)).size());
  return longest;
}

std::vector<generated_name> shared_names() {
  return {{"quern_queue", "table"},
          {"quern_contract", "table"},
          {"quern_client", "table"},
          {"quern_migration", "table"},
          {"quern_handshake", "function"},
          {"quern_note_client", "function"},
          {"quern_payload_problems", "function"},
          {"quern_check_payload", "function"},
          {"quern_queue_of", "function"},
          {"queue_enqueue", "function"},
          {"queue_dequeue", "function"},
          {"queue_ack", "function"},
          {"upgrade", "function"}};
}

}  // namespace declaration
