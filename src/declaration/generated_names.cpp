#include "declaration/generated_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "declaration/object_suffixes.hpp"

namespace declaration {
namespace {

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
          {"quern_is_own_call", "function"},
          {"quern_is_own_transaction", "function"},
          {"upgrade", "function"}};
}

}  // namespace declaration
