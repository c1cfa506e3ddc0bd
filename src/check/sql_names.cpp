#include "check/sql_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace check {
namespace {

using nlohmann::json;

bool is_plain(std::string_view name) {
  const auto is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, is_part);
}

std::string as_identifier(std::string_view name) {
  if (is_plain(name)) return std::string{name};
  std::string made = "\"";
  for (const char c : name) {
    if (c == '"') made += '"';
    made += c;
  }
  return made + '"';
}

struct creation {
  std::string_view words;
  object_kind kind;
};

constexpr std::array creations{
    creation{"create table ", object_kind::relation},
    creation{"create unlogged table ", object_kind::relation},
    creation{"create sequence ", object_kind::relation},
    creation{"create view ", object_kind::relation},
    creation{"create or replace view ", object_kind::relation},
    creation{"create function ", object_kind::function},
    creation{"create or replace function ", object_kind::function},
    creation{"create procedure ", object_kind::function},
    creation{"create or replace procedure ", object_kind::function},
    creation{"create type ", object_kind::type},
    creation{"create domain ", object_kind::type},
};

std::set<std::string, std::less<>>& part_of(project_objects& ours, object_kind kind) {
  if (kind == object_kind::function) return ours.functions;
  return kind == object_kind::type ? ours.types : ours.relations;
}

void add_created(project_objects& ours, std::string_view rest, object_kind kind) {
  const std::string opening = ours.schema + ".";
  if (!rest.starts_with(opening)) return;
  rest.remove_prefix(opening.size());
  const std::size_t end = std::min(rest.find_first_of(" (;"), rest.size());
  part_of(ours, kind).insert(std::string{rest.substr(0, end)});
}

/// `create index NAME on SCHEMA.…`: an index lies in the schema of its table.
void add_index(project_objects& ours, std::string_view line) {
  for (const std::string_view words : {"create index ", "create unique index "}) {
    if (!line.starts_with(words)) continue;
    const auto rest = line.substr(words.size());
    ours.relations.insert(std::string{rest.substr(0, rest.find(' '))});
  }
}

void add_all(std::vector<sql_target>& targets, const json& ranges) {
  for (const json& one : ranges) {
    if (one.contains("RangeVar")) targets.push_back({name_of_relation(one["RangeVar"]), object_kind::relation});
    if (one.contains("VacuumRelation") && one["VacuumRelation"].contains("relation"))
      targets.push_back({name_of_relation(one["VacuumRelation"]["relation"]), object_kind::relation});
  }
}

std::optional<object_kind> kind_of_type(std::string_view type) {
  for (const std::string_view one :
       {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})
    if (type == one) return object_kind::relation;
  for (const std::string_view one : {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})
    if (type == one) return object_kind::function;
  for (const std::string_view one : {"OBJECT_TYPE", "OBJECT_DOMAIN"})
    if (type == one) return object_kind::type;
  return std::nullopt;
}

/// An object as drop, alter … owner, alter … set schema and comment name it.
void add_object(std::vector<sql_target>& targets, const json& object, object_kind kind) {
  if (object.contains("List"))
    targets.push_back({name_of_list(part(object["List"], "items")), kind});
  else if (object.contains("ObjectWithArgs"))
    targets.push_back({name_of_list(part(object["ObjectWithArgs"], "objname")), kind});
  else if (object.contains("TypeName")) {
    targets.push_back({name_of_list(part(object["TypeName"], "names")), kind});
    targets.back().what.at = location_of(object["TypeName"]);
  }
}

void add_objects_of(std::vector<sql_target>& targets, const json& node) {
  for (const char* key : {"removeType", "renameType", "objectType", "objtype"}) {
    const auto kind = kind_of_type(node.value(key, ""));
    if (!kind) continue;
    for (const json& object : part(node, "objects")) add_object(targets, object, *kind);
    if (node.contains("object")) add_object(targets, node["object"], *kind);
  }
}

}  // namespace

const json& part(const json& node, const std::string& key) {
  static const json nothing = json::object();
  const auto place = node.find(key);
  return place == node.end() ? nothing : *place;
}

const json& part(const json& node, const json::json_pointer& path) {
  static const json nothing = json::object();
  return node.contains(path) ? node.at(path) : nothing;
}

void add_objects(project_objects& ours, std::string_view definition) {
  while (!definition.empty()) {
    const std::size_t end = std::min(definition.find('\n'), definition.size());
    const std::string_view line = definition.substr(0, end);
    definition.remove_prefix(std::min(end + 1, definition.size()));
    if (!line.starts_with("create ")) continue;
    for (const creation& one : creations)
      if (line.starts_with(one.words)) add_created(ours, line.substr(one.words.size()), one.kind);
    add_index(ours, line);
  }
}

std::string spell(const sql_name& one) {
  return one.schema.empty() ? as_identifier(one.name)
                            : fmt::format("{}.{}", as_identifier(one.schema), as_identifier(one.name));
}

sql_name name_of_relation(const json& range) {
  return {range.value("schemaname", ""), range.value("relname", ""), location_of(range)};
}

std::vector<std::string> texts_of(const json& items) {
  std::vector<std::string> texts;
  for (const json& item : items)
    if (item.contains("String")) texts.push_back(item["String"].value("sval", ""));
  return texts;
}

sql_name name_of_list(const json& items) {
  const auto texts = texts_of(items);
  if (texts.empty()) return {};
  return {texts.size() > 1 ? texts[texts.size() - 2] : "", texts.back(), std::nullopt};
}

bool is_ours(const project_objects& ours, const sql_name& one, const std::set<std::string, std::less<>>& among) {
  return !one.schema.empty() && one.schema == ours.schema && among.contains(one.name);
}

std::optional<std::size_t> location_of(const json& node) {
  const auto place = node.find("location");
  // The parser leaves 0 away, which is no place of a name: a statement begins with a word.
  if (place == node.end() || place->get<std::int64_t>() <= 0) return std::nullopt;
  return place->get<std::size_t>();
}

std::vector<sql_target> targets_of(std::string_view statement_kind, const json& node) {
  std::vector<sql_target> targets;
  if (statement_kind == "SelectStmt" || statement_kind == "CallStmt" || statement_kind == "DoStmt") return targets;
  for (const char* key : {"relation", "view", "sequence", "typevar"})
    if (node.contains(key)) targets.push_back({name_of_relation(node[key]), object_kind::relation});
  if (node.contains("into") && node["into"].contains("rel"))
    targets.push_back({name_of_relation(node["into"]["rel"]), object_kind::relation});
  for (const char* key : {"relations", "rels"}) add_all(targets, part(node, key));
  if (statement_kind == "GrantStmt") {
    add_all(targets, part(node, "objects"));
    return targets;
  }
  if (statement_kind == "CreateFunctionStmt" || statement_kind == "CreateTrigStmt")
    targets.push_back({name_of_list(part(node, "funcname")), object_kind::function});
  if (node.contains("func")) targets.push_back({name_of_list(part(node["func"], "objname")), object_kind::function});
  for (const char* key : {"typeName", "domainname"})
    if (node.contains(key) && node[key].is_array()) targets.push_back({name_of_list(node[key]), object_kind::type});
  add_objects_of(targets, node);
  return targets;
}

}  // namespace check
