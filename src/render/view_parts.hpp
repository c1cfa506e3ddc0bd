#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "declaration/model.hpp"
#include "render/queue_model.hpp"
#include "render/view.hpp"

/// What the views of SQL and of C++ have in common.
namespace render {

/// Sets `comma` of an item of a list: `, `, or nothing for the last one.
inline void set_comma(view& item, bool is_last) {
  item.set("comma", is_last ? "" : ", ");
}

/// The fields of the payload; a schemaless queue has one, `payload`.
inline const std::vector<declaration::field>& fields_of(const declaration::queue& queue) {
  static const std::vector<declaration::field> schemaless{
      {"payload", "", {declaration::base_type::jsonb, 0, 0, "", false, false, false}, {}, {}, {}}};
  return queue.is_schemaless ? schemaless : queue.payload;
}

/// Roles of one part, and whether there are any.
void set_part(view& out, std::string_view roles, std::string_view has_roles, const std::vector<std::string>& names);

/// By which every template names what stays, and what bears one of the queue's names.
void set_names(view& out, const queue_model& model, const std::string& name);

std::vector<view> level_items(const std::vector<int>& levels);

}  // namespace render
