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
    suffix{"_turn", "sequence"},
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
    suffix{"_pick_heads", "function", true},
    suffix{"_lock_heads", "function", true},
    suffix{"_enqueue_json", "function"},
    suffix{"_claim_json", "function"},
    suffix{"_ack", "function"},
    suffix{"_ack_many", "function"},
    suffix{"_nack", "function"},
    suffix{"_extend", "function"},
    suffix{"_release", "function"},
    suffix{"_cancel", "function"},
    suffix{"_cancel_all", "function"},
    suffix{"_peek", "function"},
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
    suffix{"_expire", "function"},
    suffix{"_expire_first", "function"},
    suffix{"_retry_delay", "function"},
    suffix{"_advance_low_water", "function"},
    suffix{"_free_dead", "function"},
    suffix{"_door", "function"},
    suffix{"_hold_key", "function"},
    suffix{"_free_key", "function"},
    suffix{"_head", "function"},
    suffix{"_start", "function"},
    suffix{"_park", "function"},
    suffix{"_wake_next", "function"},
    suffix{"_blocked", "function"},
    suffix{"_place", "table"},
    suffix{"_place_key", "index"},
    suffix{"_place_turn", "sequence"},
    suffix{"_rate_clock", "sequence"},
    suffix{"_holder", "function"},
    suffix{"_surplus", "function"},
    suffix{"_free_places", "function"},
    suffix{"_hold_places", "function"},
    suffix{"_fill_places", "function"},
    suffix{"_draw", "function"},
    suffix{"_left_of_rate", "function"},
    suffix{"_allowed", "function"},
    suffix{"_admit", "function"},
    suffix{"_open_at", "function"},
    suffix{"_limits", "function"},
    suffix{"_held_back", "function"},
    suffix{"_share_key", "function"},
    suffix{"_note_taken", "function"},
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

// Of a queue with storage = "log", besides; the digits are of its segments.
constexpr std::array log_suffixes{
    suffix{"_message_0", "table"},
    suffix{"_message_1", "table"},
    suffix{"_message_2", "table"},
    suffix{"_message_3", "table"},
    suffix{"_message_4", "table"},
    suffix{"_message_0_key", "index"},
    suffix{"_message_1_key", "index"},
    suffix{"_message_2_key", "index"},
    suffix{"_message_3_key", "index"},
    suffix{"_message_4_key", "index"},
    suffix{"_claim", "table"},
    suffix{"_claim_key", "index"},
    suffix{"_end", "table"},
    suffix{"_end_key", "index"},
    suffix{"_waiting", "view"},
    suffix{"_held", "view"},
    suffix{"_live", "view"},
    suffix{"_segment", "sequence"},
    suffix{"_rotated_at", "sequence"},
    suffix{"_maintained_at", "sequence"},
    suffix{"_claim_id", "sequence"},
    suffix{"_home", "function"},
    suffix{"_cursor", "function"},
    suffix{"_begin_log", "function"},
    suffix{"_finish", "function"},
    suffix{"_set_apart", "function"},
    suffix{"_wait_for_log", "function"},
    suffix{"_free", "function"},
    suffix{"_next", "function"},
    suffix{"_expire_next", "function"},
    suffix{"_claimed_after", "function"},
    suffix{"_truncate", "function"},
    suffix{"_rotate", "function"},
    suffix{"_compact", "function"},
    suffix{"_maintain", "function"},
    suffix{"_restored", "function"},
};

// Of a queue that keeps handled messages, besides what the segments of the archive have.
constexpr std::array done_suffixes{
    suffix{"_done", "table"},
    suffix{"_done_segment", "sequence"},
    suffix{"_done_rotated_at", "sequence"},
    suffix{"_maintained_at", "sequence"},
    suffix{"_tell", "function"},
    suffix{"_truncate_done", "function"},
    suffix{"_maintain", "function"},
    suffix{"_ack_results", "function"},
    suffix{"_ack_result", "function"},
    suffix{"_result", "function"},
    suffix{"_await", "function"},
    suffix{"_await_end", "function"},
    suffix{"_done", "function"},
    suffix{"_done_count", "function"},
    suffix{"_forget_done", "function"},
};

// Of a stream; the last digits are of its segments.
constexpr std::array stream_suffixes{
    suffix{"_event", "table"},
    suffix{"_event_0", "table"},
    suffix{"_event_1", "table"},
    suffix{"_event_2", "table"},
    suffix{"_event_3", "table"},
    suffix{"_event_4", "table"},
    suffix{"_event_0_key", "index"},
    suffix{"_event_1_key", "index"},
    suffix{"_event_2_key", "index"},
    suffix{"_event_3_key", "index"},
    suffix{"_event_4_key", "index"},
    suffix{"_page", "table"},
    suffix{"_page_0", "table"},
    suffix{"_page_1", "table"},
    suffix{"_page_2", "table"},
    suffix{"_page_3", "table"},
    suffix{"_page_4", "table"},
    suffix{"_page_0_key", "index"},
    suffix{"_page_1_key", "index"},
    suffix{"_page_2_key", "index"},
    suffix{"_page_3_key", "index"},
    suffix{"_page_4_key", "index"},
    suffix{"_page_0_sealed", "index"},
    suffix{"_page_1_sealed", "index"},
    suffix{"_page_2_sealed", "index"},
    suffix{"_page_3_sealed", "index"},
    suffix{"_page_4_sealed", "index"},
    suffix{"_consumer", "table"},
    suffix{"_consumer_key", "index"},
    suffix{"_position", "table"},
    suffix{"_position_key", "index"},
    suffix{"_position_follows", "index"},
    suffix{"_claim", "table"},
    suffix{"_claim_key", "index"},
    suffix{"_failed", "table"},
    suffix{"_failed_key", "index"},
    suffix{"_failed_due", "index"},
    suffix{"_failed_held", "index"},
    suffix{"_failed_by_key", "index"},
    suffix{"_claim_id", "sequence"},
    suffix{"_event_number", "sequence"},
    suffix{"_position_id", "sequence"},
    suffix{"_segment", "sequence"},
    suffix{"_rotated_at", "sequence"},
    suffix{"_maintained_at", "sequence"},
    suffix{"", "sequence", true, "_read_at"},
    suffix{"", "sequence", true, "_produced_at"},
    suffix{"_publish", "function", true},
    suffix{"_publish_many", "function", true},
    suffix{"_publish_json", "function", true},
    suffix{"_wake", "function", true},
    suffix{"_read", "function", true},
    suffix{"_read_json", "function", true},
    suffix{"_receive", "function", true},
    suffix{"_receive_json", "function", true},
    suffix{"_claim", "function", true},
    suffix{"_claim_json", "function", true},
    suffix{"_next_due", "function", true},
    suffix{"_look", "function", true},
    suffix{"_ordered_by", "function"},
    suffix{"_blocks", "function"},
    suffix{"_key_of", "function"},
    suffix{"_key_of_failed", "function"},
    suffix{"_blocked", "function"},
    suffix{"_busy_keys", "function"},
    suffix{"_is_first", "function"},
    suffix{"_is_full", "function"},
    suffix{"_sort_out", "function"},
    suffix{"_line_up", "function"},
    suffix{"_promote", "function"},
    suffix{"_dissolve", "function"},
    suffix{"_reorder", "function"},
    suffix{"_held", "function"},
    suffix{"_wake_waiting", "function"},
    suffix{"_has_filter", "function"},
    suffix{"_wants", "function"},
    suffix{"_looked_up_to", "function"},
    suffix{"_left_of", "function"},
    suffix{"_publish_json", "function"},
    suffix{"_read_json", "function"},
    suffix{"_wake", "function"},
    suffix{"_home", "function"},
    suffix{"_first_offset", "function"},
    suffix{"_newest_page", "function"},
    suffix{"_peek_failed", "function"},
    suffix{"_cursor_at", "function"},
    suffix{"_move_on", "function"},
    suffix{"_page_of", "function"},
    suffix{"_offset_at", "function"},
    suffix{"_check_offset", "function"},
    suffix{"_seal_to_end", "function"},
    suffix{"_end_of_read", "function"},
    suffix{"_seal", "function"},
    suffix{"_enlist", "function"},
    suffix{"_wait_for_consumer", "function"},
    suffix{"_check_consumer", "function"},
    suffix{"_newest_claim", "function"},
    suffix{"_open_claims", "function"},
    suffix{"_done_up_to", "function"},
    suffix{"_begin_claims", "function"},
    suffix{"_move_position", "function"},
    suffix{"_share", "function"},
    suffix{"_unshare", "function"},
    suffix{"_lock_claim", "function"},
    suffix{"_finish", "function"},
    suffix{"_extend", "function"},
    suffix{"_release", "function"},
    suffix{"_set_aside", "function"},
    suffix{"_nack", "function"},
    suffix{"_take_over", "function"},
    suffix{"_end_claim", "function"},
    suffix{"_bury", "function"},
    suffix{"_free_failed", "function"},
    suffix{"_redrive_all", "function"},
    suffix{"_redrive", "function"},
    suffix{"_purge", "function"},
    suffix{"_subscribe", "function"},
    suffix{"_unsubscribe", "function"},
    suffix{"_position_of", "function"},
    suffix{"_ack", "function"},
    suffix{"_seek", "function"},
    suffix{"_is_done_with", "function"},
    suffix{"_truncate", "function"},
    suffix{"_rotate", "function"},
    suffix{"_compact", "function"},
    suffix{"_maintain", "function"},
    suffix{"_restored", "function"},
    suffix{"_lag", "function"},
    suffix{"_stats", "function"},
    suffix{"_contract_version_known", "constraint"},
    suffix{"", "struct"},
    suffix{"", "struct", true},
    suffix{"", "struct", true, "_contract"},
    suffix{"", "type", true, "_producer"},
    suffix{"", "type", true, "_event"},
    suffix{"", "type", true, "_reader"},
    suffix{"", "type", true, "_consumer"},
    suffix{"", "type", true, "_cooperative_consumer"},
    suffix{"_producer", "type"},
    suffix{"_reader", "type"},
    suffix{"_consumer", "type"},
    suffix{"_cooperative_consumer", "type"},
};

std::string spelled(std::string_view queue, const suffix& s, std::string_view version) {
  std::string name(queue);
  name += s.before;
  if (s.is_versioned) name.append("_v").append(version).append(s.after);
  return name;
}

template <class Suffixes>
std::vector<generated_name> names_of(const Suffixes& all, std::string_view line, std::string_view version) {
  std::vector<generated_name> names;
  names.reserve(all.size());
  for (const auto& s : all) names.push_back({spelled(line, s, version), s.what, s.is_versioned});
  return names;
}

template <class Suffixes>
std::size_t longest(const Suffixes& all) {
  std::size_t result = 0;
  for (const auto& s : all) result = std::max(result, spelled("", s, std::to_string(highest_version)).size());
  return result;
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
  auto names = names_of(suffixes, queue, version);
  for (int priority = 1; priority < most_priorities; ++priority) {
    for (const auto& s : of_each_priority)
      names.push_back({fmt::format("{}_{}", spelled(queue, s, version), priority), s.what, s.is_versioned});
  }
  return names;
}

std::vector<generated_name> names_of_log(std::string_view queue) {
  return names_of(log_suffixes, queue, {});
}

std::vector<generated_name> names_of_done(std::string_view queue) {
  auto names = names_of(done_suffixes, queue, {});
  for (int segment = 0; segment < 5; ++segment) {
    names.push_back({fmt::format("{}_done_{}", queue, segment), "table"});
    for (const auto* index : {"key", "at"})
      names.push_back({fmt::format("{}_done_{}_{}", queue, segment, index), "index"});
  }
  return names;
}

std::vector<generated_name> names_of_stream(std::string_view stream, std::string_view version) {
  return names_of(stream_suffixes, stream, version);
}

std::size_t longest_queue_suffix() {
  return longest(suffixes);
}

std::size_t longest_stream_suffix() {
  return longest(stream_suffixes);
}

std::vector<generated_name> shared_names() {
  return {{"quern_queue", "table"},
          {"quern_contract", "table"},
          {"quern_client", "table"},
          {"quern_worker", "table"},
          {"quern_worker_holding", "index"},
          {"quern_migration", "table"},
          {"quern_handshake", "function"},
          {"quern_note_client", "function"},
          {"quern_worker_begin", "function"},
          {"quern_worker_beat", "function"},
          {"quern_workers", "function"},
          {"quern_payload_problems", "function"},
          {"quern_check_payload", "function"},
          {"quern_queue_of", "function"},
          {"quern_schedule", "table"},
          {"quern_schedule_falls_on", "function"},
          {"quern_schedule_times", "function"},
          {"quern_schedule_next", "function"},
          {"quern_schedule_due", "function"},
          {"quern_schedule_declared", "function"},
          {"quern_schedule_fire", "function"},
          {"quern_schedule_run", "function"},
          {"quern_schedules", "function"},
          {"queue_enqueue", "function"},
          {"queue_dequeue", "function"},
          {"queue_ack", "function"},
          {"stream_publish", "function"},
          {"stream_consume", "function"},
          {"quern_is_own_transaction", "function"},
          {"upgrade", "function"}};
}

}  // namespace declaration
