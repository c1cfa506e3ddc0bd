#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipes/scene.hpp"

namespace test {

/// A recipe on a real server, whose released part is applied, with programs that speak to it in SQL.
class desk {
 public:
  /// `line` is what it is about.
  desk(std::string_view recipe, std::string line);

  const recipe_scene& here() const { return here_; }

  /// The first column of each row of the last statement, as text.
  std::vector<std::string> all(const std::string& sql) const;

  /// The same of one row; else how many there are: `0 rows`.
  std::string one(const std::string& sql) const;

  /// `QN002: there is no queue "mail"`, or nothing when it is not refused.
  std::string refusal(const std::string& sql) const;

  /// The same of a program that was generated with the contract.
  std::string handshake(std::string_view queue, int version) const;

  /// What keeps the migrations from being applied.
  std::string refused_migration() const;

 private:
  recipe_scene here_;
  std::string line_;
};

}  // namespace test
