#pragma once

#include <vector>

#include "declaration/model.hpp"
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

}  // namespace render
