#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "render/queue_model.hpp"
#include "render/view.hpp"

namespace render {

/// The name of a value, and the row of the template that it is read out of.
using row_value = std::pair<std::string_view, std::string_view>;

/// Sets `fields` and `parameters` of a contract: the columns and the parameters of its functions; see views.hpp.
void set_fields(view& out, const queue_model& model, const queue_version& version,
                std::initializer_list<row_value> rows);

}  // namespace render
