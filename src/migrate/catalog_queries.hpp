#pragma once

#include <string>
#include <vector>

namespace migrate {

/// Queries that together read a schema, whose oid is $1. Each row is a property of an object: kind, name, parent (null:
/// the schema), owner, position, property, value, without those that have no value.
std::vector<std::string> relation_queries();    // tables, views, sequences, columns
std::vector<std::string> table_part_queries();  // constraints, indexes, triggers, rules, policies
std::vector<std::string> other_queries();       // the schema itself, functions, types, whatever else stands in a schema

}  // namespace migrate
