#include "migrate/drift.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace migrate {
namespace {

constexpr std::string_view grant_opening = "grant ";

std::string described(const catalog_object& one) {
  std::string text = identity(one) + '\n';
  for (const auto& [property, value] : one.properties) text += fmt::format("  {}: {}\n", property, value);
  return text;
}

// With everything that belongs to it.
std::string described(const catalog& all, const catalog_object& one) {
  std::string text = described(one);
  const std::string name = identity(one);
  for (const auto& [other, part] : all.objects)
    if (part.parent == name) text += described(all, part);
  return text;
}

// Whether what it belongs to is not in `all` either.
bool is_told_of_with_parent(const catalog& all, const catalog_object& one) {
  return !one.parent.empty() && !all.objects.contains(one.parent);
}

difference missing(const catalog& expected, const catalog_object& one) {
  const std::string name = identity(one);
  return {.object = name,
          .kind = difference_kind::missing,
          .words = name + " is missing",
          .expected = described(expected, one)};
}

difference unexpected(const catalog& found, const catalog_object& one) {
  const std::string name = identity(one);
  const std::string text = described(found, one);
  return {.object = name,
          .kind = difference_kind::unexpected,
          .words = name + " is not in the migrations",
          .found = text,
          .definition = text};
}

// `grant execute to web` as `execute`, `web`.
std::pair<std::string_view, std::string_view> parts_of_grant(std::string_view property) {
  property.remove_prefix(grant_opening.size());
  const std::size_t to = property.find(" to ");
  return {property.substr(0, to), property.substr(to + 4)};
}

using optional_text = std::optional<std::string>;

std::string words_of_grant(std::string_view property, const optional_text& expected, const optional_text& found) {
  const auto [right, role] = parts_of_grant(property);
  if (!found) return fmt::format("{} is not granted to {}, the migrations grant it", right, role);
  if (!expected) return fmt::format("{} is granted to {}, the migrations do not grant it", right, role);
  const bool was_given = *found != "yes";
  return fmt::format("{} is granted to {} {} grant option, the migrations grant it {}", right, role,
                     was_given ? "with" : "without", was_given ? "without" : "with");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

// The first line that differs; what comes behind it often differs only because of it.
std::string words_of_lines(std::string_view property, std::string_view expected, std::string_view found) {
  const auto wanted = lines_of(expected);
  const auto present = lines_of(found);
  const auto [here, there] = std::ranges::mismatch(wanted, present);
  const auto number = here - wanted.begin() + 1;
  if (here == wanted.end()) return fmt::format("its {} has a further line {}: `{}`", property, number, *there);
  if (there == present.end()) return fmt::format("its {} lacks line {}: `{}`", property, number, *here);
  return fmt::format("line {} of its {} is `{}`, the migrations say `{}`", number, property, *there, *here);
}

std::string words_of(std::string_view property, const optional_text& expected, const optional_text& found) {
  if (property.starts_with(grant_opening)) return words_of_grant(property, expected, found);
  if (!found) return fmt::format("it has no {}, the migrations say `{}`", property, *expected);
  if (!expected) return fmt::format("it has the {} `{}`, the migrations give it none", property, *found);
  if (expected->find('\n') != std::string::npos || found->find('\n') != std::string::npos)
    return words_of_lines(property, *expected, *found);
  return fmt::format("its {} is `{}`, the migrations say `{}`", property, *found, *expected);
}

optional_text value_of(const catalog_object& one, const std::string& property) {
  const auto found = one.properties.find(property);
  return found == one.properties.end() ? std::nullopt : optional_text{found->second};
}

// Who owns the object on one side has its rights there without a grant.
bool is_right_of_an_owner(std::string_view property, const catalog_object& expected, const catalog_object& found) {
  if (!property.starts_with(grant_opening)) return false;
  const auto role = parts_of_grant(property).second;
  return role == expected.owner || role == found.owner;
}

// What belongs to a table is its owner's; a schema is often made by others than those who migrate.
bool has_owner_of_its_own(const catalog_object& one) {
  return one.parent.starts_with("schema ") && !one.owner.empty();
}

// The owner of most of what the reader of `expected` owns there: the role that applied the migrations, or that was
// given everything later. Empty when there is nothing.
std::string usual_owner(const catalog& expected, const catalog& found) {
  std::map<std::string, int> counts;
  for (const auto& [name, one] : expected.objects) {
    const auto other = found.objects.find(name);
    if (other != found.objects.end() && has_owner_of_its_own(one) && one.owner == expected.reader)
      ++counts[other->second.owner];
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  return most == counts.end() ? std::string{} : most->first;
}

// The two sides, and who owns in `found` what the reader of `expected` owns there.
struct sides {
  const catalog& expected;
  const catalog& found;
  std::string usual_owner{};

  // An owner that a migration has named is expected by that name.
  bool is_usual(const catalog_object& one) const { return one.owner == expected.reader; }

  const std::string& owner_of(const catalog_object& one) const { return is_usual(one) ? usual_owner : one.owner; }
};

bool has_other_owner(const sides& both, const catalog_object& expected, const catalog_object& found) {
  return has_owner_of_its_own(expected) && both.owner_of(expected) != found.owner;
}

std::string words_of_owner(const sides& both, const catalog_object& expected, const catalog_object& found) {
  const auto security = found.properties.find("security");
  const bool lends_rights = security != found.properties.end() && security->second == "definer";
  return fmt::format("its owner is `{}`{}, {} `{}`", found.owner, lends_rights ? ", with whose rights it runs" : "",
                     both.is_usual(expected) ? "most objects here belong to" : "the migrations say",
                     both.owner_of(expected));
}

// Who owns an object is part of what is adopted only where it is a difference: elsewhere it may have another name in
// each database.
std::string definition_of(const sides& both, const catalog_object& expected, const catalog_object& found) {
  std::string text = described(found);
  if (has_other_owner(both, expected, found)) text += fmt::format("  owner: {}\n", found.owner);
  return text;
}

void compare_owners(const sides& both, const catalog_object& expected, const catalog_object& found,
                    std::vector<difference>& into) {
  if (!has_other_owner(both, expected, found)) return;
  into.push_back({.object = identity(found),
                  .kind = difference_kind::changed,
                  .property = "owner",
                  .words = fmt::format("{}: {}", identity(found), words_of_owner(both, expected, found)),
                  .expected = both.owner_of(expected),
                  .found = found.owner,
                  .definition = definition_of(both, expected, found)});
}

void compare_properties(const sides& both, const catalog_object& expected, const catalog_object& found,
                        std::vector<difference>& into) {
  std::set<std::string> properties;
  for (const auto& each : expected.properties) properties.insert(each.first);
  for (const auto& each : found.properties) properties.insert(each.first);
  for (const std::string& property : properties) {
    const optional_text wanted = value_of(expected, property);
    const optional_text present = value_of(found, property);
    if (wanted == present || is_right_of_an_owner(property, expected, found)) continue;
    into.push_back({.object = identity(found),
                    .kind = difference_kind::changed,
                    .property = property,
                    .words = fmt::format("{}: {}", identity(found), words_of(property, wanted, present)),
                    .expected = wanted.value_or(""),
                    .found = present.value_or(""),
                    .definition = definition_of(both, expected, found)});
  }
}

// The columns that both have, in the order of one of them.
using column_list = std::vector<std::pair<int, std::string>>;

std::map<std::string, column_list> common_columns(const catalog& of, const catalog& other) {
  std::map<std::string, column_list> columns;
  for (const auto& [name, one] : of.objects)
    if (one.position > 0 && other.objects.contains(name)) columns[one.parent].emplace_back(one.position, one.name);
  for (auto& [table, list] : columns) std::ranges::sort(list);
  return columns;
}

std::string names_of(const column_list& columns, std::string_view table) {
  const std::string_view prefix = table.substr(table.find(' ') + 1);
  std::string text;
  for (const auto& [position, name] : columns)
    text += (text.empty() ? "" : ", ") + (name.starts_with(prefix) ? name.substr(prefix.size() + 1) : name);
  return text;
}

void compare_order(const catalog& expected, const catalog& found, std::vector<difference>& into) {
  const auto present = common_columns(found, expected);
  for (const auto& [table, columns] : common_columns(expected, found)) {
    const std::string wanted_names = names_of(columns, table);
    const std::string names = names_of(present.at(table), table);
    if (names == wanted_names) continue;
    const std::string object = "columns of " + table;
    into.push_back(
        {.object = object,
         .kind = difference_kind::order,
         .words = fmt::format("{}: they stand in the order `{}`, the migrations say `{}`", object, names, wanted_names),
         .expected = wanted_names,
         .found = names,
         .definition = names});
  }
}

}  // namespace

std::string_view spell(difference_kind kind) {
  constexpr std::string_view words[] = {"missing", "unexpected", "changed", "order"};
  return words[static_cast<std::size_t>(kind)];
}

std::vector<difference> compare(const catalog& expected, const catalog& found) {
  std::vector<difference> made;
  const sides both{expected, found, usual_owner(expected, found)};
  for (const auto& [name, one] : expected.objects) {
    const auto other = found.objects.find(name);
    if (other != found.objects.end()) {
      compare_owners(both, one, other->second, made);
      compare_properties(both, one, other->second, made);
    } else if (!is_told_of_with_parent(found, one)) {
      made.push_back(missing(expected, one));
    }
  }
  for (const auto& [name, one] : found.objects)
    if (!expected.objects.contains(name) && !is_told_of_with_parent(expected, one))
      made.push_back(unexpected(found, one));
  compare_order(expected, found, made);
  std::ranges::stable_sort(made, {}, &difference::object);
  return made;
}

}  // namespace migrate
