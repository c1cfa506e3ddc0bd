#pragma once

#include <map>
#include <quern/connection.hpp>
#include <string>
#include <string_view>

namespace migrate {

/// One thing in a schema that can be there, be missing, or be otherwise than it should.
struct catalog_object {
  std::string kind{};    // "table", "column", "function", …
  std::string name{};    // inside of the schema, quoted where SQL needs it: email_message.order_id
  std::string parent{};  // what it belongs to, as identity() names it; the schema for what stands in it by itself
  std::string owner{};   // empty where nobody does; what a role may do as the owner need not be granted to it
  int position = 0;      // of a column, from 1
  // What can differ: `type`, `default`, `body`, `grant execute to web`, … Without those that it does not have.
  std::map<std::string, std::string> properties{};
  bool operator==(const catalog_object&) const = default;
};

/// `column email_message.order_id`
std::string identity(const catalog_object& one);

/// Everything in one schema of a database, by identity; empty when the schema does not exist. The ledger of migrations,
/// what belongs to extensions, rows of tables and the values of sequences are no part of it.
struct catalog {
  std::map<std::string, catalog_object> objects{};
  std::string reader{};  // the role that has read it, spelled as owners are
  bool operator==(const catalog&) const = default;
};

/// Reads the catalog in one snapshot; the connection is not in a transaction. Throws quern::error.
catalog read_catalog(quern::connection& db, std::string_view schema);

}  // namespace migrate
