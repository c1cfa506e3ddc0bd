#include "render/step.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "render/views.hpp"

namespace render {

view view_of(const migration_text& migration) {
  std::vector<view> words;
  for (const auto& word : migration.words) words.emplace_back().set("word", word);
  std::vector<view> steps;
  for (const auto& step : migration.steps) {
    auto& item = steps.emplace_back();
    item.set("name", step.name);
    item.set("lock", step.lock);
    item.set("lock_timeout", step.lock_timeout);
    item.set("statement_timeout", step.statement_timeout);
    item.set("transaction", step.is_transactional ? "yes" : "no");
    item.set("text", step.text);
    item.set_flag("has_probe", step.probe.has_value());
    item.set("probe", step.probe.value_or(""));
    item.set_flag("has_cleanup", step.cleanup.has_value());
    item.set("cleanup", step.cleanup.value_or(""));
    item.set_flag("has_reverse", step.reverse.has_value());
    item.set("reverse", step.reverse.value_or(""));
  }
  return migration_view(migration.name, std::move(words), migration.roles, std::move(steps));
}

std::string spell(renderer& with, const migration_text& migration) {
  return with.text("sql/change/migration", view_of(migration)) + "\n";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& text : texts) {
    if (text.empty()) continue;
    if (!result.empty()) result += "\n\n";
    result += text;
  }
  return result;
}

std::string replacing(std::string text) {
  for (const std::string_view what : {"create function ", "create view ", "create trigger "}) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) {
      if (at > 0 && text[at - 1] != '\n') continue;
      constexpr std::string_view replacing_create = "create or replace ";
      text.replace(at, std::string_view{"create "}.size(), replacing_create);
      at += replacing_create.size();
    }
  }
  return text;
}

std::string nothing(std::string_view why) {
  return fmt::format("-- {}", why);
}

}  // namespace render
