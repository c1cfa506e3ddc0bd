#include "render/view_parts.hpp"

#include <fmt/format.h>

#include "render/names.hpp"
#include "render/sql.hpp"

namespace render {

void set_part(view& out, std::string_view roles, std::string_view has_roles, const std::vector<std::string>& names) {
  out.set(roles, sql::identifiers(names));
  out.set_flag(has_roles, !names.empty());
}

void set_names(view& out, const queue_model& model, const std::string& name) {
  out.set("line", model.line);
  out.set("prefix", names::prefix(model.schema, model.line));
  out.set("queue", name);
  out.set("api", names::prefix(model.schema, name));
}

std::vector<view> level_items(const std::vector<int>& levels) {
  std::vector<view> items;
  for (const int level : levels) items.emplace_back().set("level", fmt::to_string(level));
  return items;
}

}  // namespace render
