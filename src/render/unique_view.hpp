#pragma once

#include <string>

#include "contract/unique_key.hpp"
#include "render/queue_model.hpp"
#include "render/view.hpp"

/// What makes messages the same, as templates say it.
namespace render {

/// The rule of the queue, if it has one.
std::optional<contract::unique_key> unique_key_of(const queue_model& model);

/// `email_unique_v2`: the table that holds who has which key.
std::string unique_table_name(const queue_model& model, const contract::unique_key& key);

/// Of sql/queue.
void set_unique(view& out, const queue_model& model);

/// Of sql/change.
void set_unique_for_change(view& out, const queue_model& model);

/// Of sql/version.
void set_unique(view& out, const queue_model& model, const queue_version& version);

}  // namespace render
