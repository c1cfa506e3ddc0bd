#include "render/unique_change.hpp"

#include <fmt/format.h>

#include <utility>

#include "render/names.hpp"

namespace render {

namespace {

std::string named(std::string_view what, const contract::unique_key& key) {
  return fmt::format("{}_unique_v{}", what, key.since);
}

/// A step that does something in one direction only, or the opposite in the other.
migration_step directed(migration_step step, bool is_forward, std::string what, std::string opposite) {
  if (!is_forward) std::swap(what, opposite);
  step.text = std::move(what);
  step.reverse = std::move(opposite);
  return step;
}

}  // namespace

unique_change::unique_change(renderer& with, queue_change& change) {
  const auto& before = change.before().model();
  const auto& after = change.model();
  const auto old_key = unique_key_of(before);
  const auto new_key = unique_key_of(after);
  if (old_key && new_key && old_key->since == new_key->since) return;
  if (old_key) ends_.emplace(side{step_parts{with, before}, &change.before(), *old_key});
  if (new_key) begins_.emplace(side{step_parts{with, after}, &change.after(), *new_key});
  const auto prefix = names::prefix(after.schema, after.line);
  tables_ = fmt::format("{0}_message, {0}_delayed", prefix);
}

std::vector<migration_step> unique_change::first() const {
  std::vector<migration_step> steps;
  // Backwards these come last.
  if (ends_) steps.push_back(fill(*ends_, false));
  if (begins_) steps.push_back(table(*begins_, true));
  return steps;
}

std::vector<migration_step> unique_change::before_functions() const {
  if (!ends_) return {};
  return {triggers(*ends_, false), settle(*ends_, false)};
}

std::vector<migration_step> unique_change::after_functions() const {
  if (!begins_) return {};
  return {settle(*begins_, true), triggers(*begins_, true), fill(*begins_, true)};
}

std::vector<migration_step> unique_change::last() const {
  if (!ends_) return {};
  auto wait = settle(*ends_, true);
  wait.name = named("settle_before", ends_->key);
  return {std::move(wait), table(*ends_, false)};
}

/// Functions that know nothing of messages that are left out may still run: until their transactions have ended.
migration_step unique_change::settle(const side& of, bool is_forward) const {
  return directed({.name = named("settle", of.key),
                   .lock = "none; waits until older transactions have ended",
                   .lock_timeout = "0",
                   .statement_timeout = "0",
                   .is_transactional = false},
                  is_forward, of.parts.part("settle"), nothing("Nothing to wait for in this direction."));
}

migration_step unique_change::triggers(const side& of, bool is_forward) const {
  const auto make = joined({replacing(of.rendered->shared("hold_key")), replacing(of.rendered->shared("free_key")),
                            of.rendered->shared("unique_triggers")});
  const auto* lock = is_forward ? "share row exclusive" : "access exclusive";
  return directed({.name = named(is_forward ? "keep" : "stop", of.key),
                   .lock = fmt::format("{} on {}, for an instant", lock, tables_),
                   .lock_timeout = strong_lock_timeout},
                  is_forward, make, of.parts.part("drop_unique_triggers"));
}

migration_step unique_change::fill(const side& of, bool is_forward) const {
  const auto wait = of.parts.part("settle");
  std::vector<std::string> texts{wait, of.parts.part("fill_unique")};
  if (!of.key.is_timed) {
    texts.push_back(wait);
    texts.push_back(of.parts.part("clean_unique"));
  }
  return directed({.name = named("fill", of.key),
                   .lock = "none that anybody waits for; waits until older transactions have ended",
                   .lock_timeout = "0",
                   .statement_timeout = "0",
                   .is_transactional = false},
                  is_forward, joined(texts), nothing("The keys go with their table."));
}

migration_step unique_change::table(const side& of, bool is_forward) const {
  const auto name = unique_table_name(of.parts.model(), of.key);
  return directed({.name = named(is_forward ? "add" : "drop", of.key),
                   .lock = is_forward ? std::string{"none but on the new objects"}
                                      : fmt::format("access exclusive on {}, which nobody uses any more", name),
                   .lock_timeout = is_forward ? "5s" : strong_lock_timeout},
                  is_forward, of.rendered->shared("unique_table"), of.parts.part("drop_unique_table"));
}

}  // namespace render
