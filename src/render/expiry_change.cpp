#include "render/expiry_change.hpp"

#include <fmt/format.h>

#include "render/names.hpp"
#include "render/sql.hpp"
#include "render/table_shape.hpp"

namespace render {

expiry_change::expiry_change(const queue_change& change) : change_{change} {}

bool expiry_change::begins() const {
  return !change_.before().model().expires() && change_.model().expires();
}

bool expiry_change::ceases() const {
  return change_.before().model().expires() && !change_.model().expires();
}

/// Without a default, which would be looked up in vain for all that is there.
std::string expiry_change::add(const rendered_queue& with_expiry) const {
  std::string comment;
  for (const auto& column : shape_of(with_expiry.model()).columns) {
    if (column.name != expiry_column) continue;
    comment = fmt::format("comment on column {}.{} is {};", main_table(change_.model()), column.name,
                          sql::literal(column.doc));
  }
  return joined({change_.alter_tables({fmt::format("add column {} timestamptz", expiry_column)}), comment,
                 with_expiry.shared("expire")});
}

std::string expiry_change::drop() const {
  const auto prefix = names::prefix(change_.model().schema, change_.model().line);
  return joined({fmt::format("drop function {0}_expire_first, {1}{0}_expire;", prefix,
                             change_.model().is_log() ? prefix + "_expire_next, " : std::string{}),
                 change_.alter_tables({fmt::format("drop column {}", expiry_column)})});
}

std::string expiry_change::set_default(const queue_model& of) const {
  return fmt::format("alter table {}\n  alter column {} {};", main_table(of), expiry_column,
                     of.expires() ? "set" + expiry_default(of) : std::string{"drop default"});
}

migration_step expiry_change::default_step(std::string name) const {
  return {.name = std::move(name),
          .lock = fmt::format("access exclusive on {}, for an instant", main_table(change_.model())),
          .lock_timeout = strong_lock_timeout,
          .text = set_default(change_.model()),
          .reverse = set_default(change_.before().model())};
}

std::vector<migration_step> expiry_change::first() const {
  if (ceases()) return {default_step("stop_expiry")};
  if (!begins()) return {};
  return {{.name = "expiry",
           .lock = change_.strong_lock(),
           .lock_timeout = strong_lock_timeout,
           .text = add(change_.after()),
           .reverse = drop()},
          settle_step(change_, "settle_expiry", false)};
}

std::vector<migration_step> expiry_change::last() const {
  if (begins()) return {default_step("begin_expiry")};
  if (ceases()) {
    return {settle_step(change_, "settle_before_expiry", true),
            {.name = "drop_expiry",
             .lock = change_.strong_lock(),
             .lock_timeout = strong_lock_timeout,
             .text = drop(),
             .reverse = add(change_.before())}};
  }
  if (change_.before().model().expires() == change_.model().expires()) return {};
  return {default_step("expiry")};
}

}  // namespace render
