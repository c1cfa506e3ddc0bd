#include "render/shared_rights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "render/sql.hpp"

namespace render {

namespace {

using declaration::role_grants;

/// Objects of the core that a part brings with it, and the end of the names of functions that only this part gives: who
/// has none of them any more needs the first ones no longer.
struct shared_part {
  std::vector<std::string_view> objects;
  std::string_view giver;
  std::string_view right = "execute on function";
};

const std::vector<shared_part>& shared_by_producers(bool is_stream) {
  static const std::vector<shared_part> of_queue{{{"queue_enqueue"}, "_enqueue_json"}};
  static const std::vector<shared_part> of_stream{{{"stream_publish"}, "_publish_json"}};
  return is_stream ? of_stream : of_queue;
}

const std::vector<shared_part>& shared_by_consumers(bool is_stream) {
  // Workers are of queues and of streams.
  static const shared_part workers{{"quern_worker_begin", "quern_worker_beat"}, "_extend"};
  static const std::vector<shared_part> of_queue{{{"queue_dequeue", "queue_ack", "quern_queue_of"}, "_claim_json"},
                                                 workers};
  static const std::vector<shared_part> of_stream{{{"stream_consume"}, "_looked_up_to"}, workers};
  return is_stream ? of_stream : of_queue;
}

const std::vector<shared_part>& shared_by_operators() {
  static const std::vector<shared_part> of_all{{{"quern_workers"}, "_stats"},
                                               {{"quern_contract", "quern_client"}, "_stats", "select on"}};
  return of_all;
}

/// What says nothing about whether anything else is left.
std::string shared_names() {
  std::vector<std::string_view> names{"quern_handshake"};
  const auto add = [&](const std::vector<shared_part>& parts) {
    for (const auto& part : parts)
      for (const auto name : part.objects)
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const bool is_stream : {false, true}) {
    add(shared_by_producers(is_stream));
    add(shared_by_consumers(is_stream));
  }
  add(shared_by_operators());
  return fmt::format("['{}']", fmt::join(names, "', '"));
}

}  // namespace

std::string revoke_shared(const step_parts& parts, const role_grants& before, const role_grants& now) {
  const auto& model = parts.model();
  const auto schema = sql::identifier(model.schema);
  std::map<std::string, leaver> leavers;
  const auto leave = [&](const std::vector<std::string>& old_roles, const std::vector<std::string>& roles,
                         const std::vector<shared_part>& shared) {
    for (const auto& role : old_roles) {
      if (std::ranges::find(roles, role) != roles.end()) continue;
      for (const auto& part : shared) {
        leavers[role].rights.push_back(
            {std::string{part.objects.front()},
             fmt::format("{0} {1}.{2}", part.right, schema, fmt::join(part.objects, fmt::format(", {}.", schema))),
             std::string{part.giver}});
      }
    }
  };
  leave(before.produce, now.produce, shared_by_producers(model.is_stream()));
  leave(before.consume, now.consume, shared_by_consumers(model.is_stream()));
  leave(before.operate, now.operate, shared_by_operators());
  if (leavers.empty()) return {};
  change_details details{.shared_names = shared_names()};
  for (auto& [role, left] : leavers) {
    left.role = role;
    details.leavers.push_back(std::move(left));
  }
  return parts.part("revoke_shared", details);
}

std::string drop_line(const step_parts& parts) {
  return joined({parts.part("drop_queue"), revoke_shared(parts, parts.model().newest().queue.grants, {})});
}

}  // namespace render
