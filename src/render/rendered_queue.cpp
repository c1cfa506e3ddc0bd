#include "render/rendered_queue.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "render/step.hpp"
#include "render/views.hpp"

namespace render {

namespace {

/// Those that can be replaced in place, in an order in which each finds what it needs.
constexpr std::array<std::string_view, 39> shared_objects{
    "wake",      "free_dead",   "advance_low_water", "log_state",   "log_end",  "log_claim",   "log_space", "bury",
    "head",      "start",       "wake_next",         "ack",         "ack_many", "retry_delay", "nack",      "extend",
    "release",   "attempt",     "redrive",           "purge",       "blocked",  "stats",       "pause",     "json_door",
    "door_view", "hold_key",    "free_key",          "cancel",      "expire",   "peek",        "places",    "rate",
    "limits",    "limit_stats", "done_space",        "ack_results", "result",   "done",        "key_limit"};
/// Those that there are under each name; the others under the first name alone.
constexpr std::array<std::string_view, 18> named_objects{
    "ack",   "ack_many",  "nack",      "extend", "release", "redrive",     "purge",       "blocked", "stats",
    "pause", "json_door", "door_view", "cancel", "peek",    "limit_stats", "ack_results", "result",  "done"};
constexpr std::array<std::string_view, 10> version_objects{
    "pick", "pick_heads", "claim", "claim_json", "take", "next_due", "wake", "enqueue", "enqueue_many", "enqueue_json"};

constexpr std::array<std::string_view, 31> stream_objects{
    "wake",   "offset_of",    "offset_at", "order",     "blocked",   "filter",    "seal_to_end", "seal",
    "claims", "share",        "claim_end", "lease",     "set_aside", "nack",      "take_over",   "in_line",
    "held",   "looked_up_to", "position",  "subscribe", "ack",       "seek",      "redrive",     "truncate",
    "rotate", "compact",      "maintain",  "restored",  "stats",     "json_door", "peek"};
constexpr std::array<std::string_view, 15> named_stream_objects{
    "offset_at", "blocked", "seal", "share",   "lease", "nack",      "held", "looked_up_to",
    "subscribe", "ack",     "seek", "redrive", "stats", "json_door", "peek"};
constexpr std::array<std::string_view, 11> stream_version_objects{"read",    "read_json",    "look",        "receive",
                                                                  "claim",   "claim_json",   "next_due",    "wake",
                                                                  "publish", "publish_many", "publish_json"};

std::span<const std::string_view> shared_objects_of(const queue_model& model) {
  if (model.is_stream()) return stream_objects;
  return shared_objects;
}

std::span<const std::string_view> named_objects_of(const queue_model& model) {
  if (model.is_stream()) return named_stream_objects;
  return named_objects;
}

std::span<const std::string_view> version_objects_of(const queue_model& model) {
  if (model.is_stream()) return stream_version_objects;
  return version_objects;
}

rendered_objects open_under(renderer& with, const queue_model& model, const std::string& name) {
  return with.open(model.is_stream() ? sql_folder::stream : sql_folder::queue, shared_view(model, name));
}

rendered_objects open_version(renderer& with, const queue_model& model, const queue_version& version) {
  if (model.is_stream()) return with.open(sql_folder::stream_version, stream_version_view(model, version));
  return with.open(sql_folder::version, version_view(model, version));
}

void add_replaced(std::vector<std::string>& texts, const std::string& before, const std::string& now) {
  if (before != now && !before.empty() && !now.empty()) texts.push_back(replacing(now));
}

std::map<int, rendered_objects> open_versions(renderer& with, const queue_model& model) {
  std::map<int, rendered_objects> result;
  for (const auto& version : model.versions) {
    result.emplace(version.contract->version, open_version(with, model, version));
  }
  return result;
}

std::map<std::string, rendered_objects> open_other_names(renderer& with, const queue_model& model) {
  std::map<std::string, rendered_objects> result;
  for (const auto& name : model.names) {
    if (name != model.name()) result.emplace(name, open_under(with, model, name));
  }
  return result;
}

bool is_named(const queue_model& model, std::string_view object) {
  const auto named = named_objects_of(model);
  return std::find(named.begin(), named.end(), object) != named.end();
}

bool has_name(const queue_model& model, const std::string& name) {
  return std::find(model.names.begin(), model.names.end(), name) != model.names.end();
}

}  // namespace

rendered_queue::rendered_queue(renderer& with, const queue_model& model)
    : model_{&model},
      versions_{open_versions(with, model)},
      others_{open_other_names(with, model)},
      shared_{open_under(with, model, model.name())} {
  std::vector<std::string> texts;
  for (auto& [number, version] : versions_) {
    texts.push_back(version.text("hints"));
    for (const auto* part : {"consumers", "producers"}) texts.push_back(without_end(version.file(part)));
  }
  shared_.add("versions", joined(texts));
  std::vector<std::string> others;
  for (const auto& [name, objects] : others_) others.push_back(all_under(name));
  shared_.add("others", joined(others));
}

std::string rendered_queue::all_under(const std::string& name) const {
  std::vector<std::string> texts;
  for (const auto object : named_objects_of(*model_)) texts.push_back(under(name, object));
  texts.push_back(rights_under(name));
  return joined(texts);
}

std::string rendered_queue::rights_under(const std::string& name) const {
  if (model_->is_stream()) return under(name, "rights");
  return joined({under(name, "rights"), under(name, "limit_rights"), under(name, "done_rights")});
}

std::vector<std::string> replaced_objects(const rendered_queue& before, const rendered_queue& now) {
  std::vector<std::string> texts;
  for (const auto object : shared_objects_of(now.model())) {
    if (!is_named(now.model(), object)) {
      add_replaced(texts, before.shared(object), now.shared(object));
      continue;
    }
    for (const auto& name : now.model().names) {
      if (has_name(before.model(), name)) add_replaced(texts, before.under(name, object), now.under(name, object));
    }
  }
  for (const auto& version : now.model().versions) {
    const int number = version.contract->version;
    for (const auto& known : before.model().versions) {
      if (known.contract->version != number) continue;
      for (const auto object : version_objects_of(now.model())) {
        add_replaced(texts, before.of_version(number, object), now.of_version(number, object));
      }
    }
  }
  return texts;
}

}  // namespace render
