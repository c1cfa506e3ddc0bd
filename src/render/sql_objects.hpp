#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace render {

enum class object_kind { sequence, function, view, trigger };

/// `sequence`, `function`, …
std::string_view word_of(object_kind kind);

/// What a `create` has made that can be made anew without loss, or be replaced.
struct sql_object {
  object_kind is = object_kind::function;
  std::string name;       // as it is spelled: shop.email_claim_v1
  std::string text;       // its `create …;`, without `or replace`
  std::string comment{};  // its last `comment on …;`
  std::string table{};    // that a trigger is on
};

/// One right of one role on one object.
struct sql_right {
  std::string privilege;  // execute
  std::string column;     // of those on a table; empty: all of it
  std::string kind;       // function, sequence, schema; empty for tables and views
  std::string object;
  std::string role;
  auto operator<=>(const sql_right&) const = default;
};

/// What SQL of quern leaves in a database, read as the server would: what was created, replaced and dropped since, and
/// who may do what with it. Quern's functions have one signature each, so a name says which.
class sql_objects {
 public:
  /// Goes on with more statements. What makes rows, or changes tables, is not looked at.
  void apply(const std::string& sql);

  /// As they were created, the oldest first.
  const std::vector<sql_object>& all() const { return objects_; }
  const sql_object* find(std::string_view name) const;

  const std::set<sql_right>& rights() const { return rights_; }

  const std::set<std::string, std::less<>>& tables() const { return tables_; }

  /// Whether the statements made it: tables as well.
  bool owns(const std::string& name) const;

  // As statements do:
  void create(sql_object object);
  void drop(std::string_view name);
  void grant(sql_right right) { rights_.insert(std::move(right)); }

 private:
  class statement;
  void apply_one(const std::string& text);
  void comment_on(statement& words, const std::string& text);
  void change_table(statement& words);
  void change_rights(statement& words, bool is_grant);
  void change_right(const sql_right& right, bool is_grant);

  std::vector<sql_object> objects_;
  std::set<std::string, std::less<>> tables_;
  std::set<sql_right> rights_;
};

/// Drops everything that a text creates, the newest first.
std::string drop_all(const std::string& created);

/// What a migration's file does forwards, without the other sections of its steps.
std::string forward_part(const std::string& migration);

/// The parameters and the result of a function: what nothing can replace in place.
std::string signature_of(const sql_object& function);

/// Whether a text names an object, as a whole word.
bool mentions(std::string_view text, std::string_view name);

}  // namespace render
