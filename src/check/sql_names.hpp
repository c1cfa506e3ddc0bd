#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace check {

/// The names that quern has given to what it generates, without their schema.
struct project_objects {
  std::string schema{};
  std::set<std::string, std::less<>> relations{};  // tables, views, sequences, indexes
  std::set<std::string, std::less<>> functions{};
  std::set<std::string, std::less<>> types{};
};

/// Adds what a generated definition creates; objects of other schemas than the project's are passed over.
void add_objects(project_objects& ours, std::string_view definition);

/// A name of SQL as it was written.
struct sql_name {
  std::string schema{};  // empty: none was written
  std::string name{};
  std::optional<std::size_t> at{};  // from the statement's origin
  bool operator==(const sql_name&) const = default;
};

/// `shop.email_message`, with quotes where SQL needs them.
std::string spell(const sql_name& one);

/// The part of a node below a key; an empty object when there is none. Nothing is copied.
const nlohmann::json& part(const nlohmann::json& node, const std::string& key);
const nlohmann::json& part(const nlohmann::json& node, const nlohmann::json::json_pointer& path);

/// The name of a RangeVar.
sql_name name_of_relation(const nlohmann::json& range);

/// The name that a list of String nodes spells, without its first parts when there are more than two.
sql_name name_of_list(const nlohmann::json& items);

/// The texts of a list of String nodes.
std::vector<std::string> texts_of(const nlohmann::json& items);

bool is_ours(const project_objects& ours, const sql_name& one, const std::set<std::string, std::less<>>& among);

/// Where a node says that it stands; nothing when it does not.
std::optional<std::size_t> location_of(const nlohmann::json& node);

enum class object_kind { relation, function, type };

/// What a statement creates, changes or removes.
struct sql_target {
  sql_name what{};
  object_kind kind = object_kind::relation;
};

std::vector<sql_target> targets_of(std::string_view statement_kind, const nlohmann::json& node);

}  // namespace check
