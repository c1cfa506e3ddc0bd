#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/catalog.hpp"

namespace migrate {

enum class difference_kind {
  missing,     // the object should be there
  unexpected,  // it should not
  changed,     // it is otherwise
  order,       // the columns of a table stand in another order: few programs notice
};

/// `missing`, `unexpected`, `changed`, `order`
std::string_view spell(difference_kind kind);

/// What is otherwise with one object, or with one property of it.
struct difference {
  std::string object;  // `column email_message.note`
  difference_kind kind{};
  std::string property{};  // of a changed object: `default`
  std::string words{};     // one sentence that names the object
  std::string expected{};  // the whole texts; empty where there is nothing
  std::string found{};
  std::string definition{};  // all of the object as it was found, what stands in it included if nothing of it was
                             // expected; empty when it is missing
  bool operator==(const difference&) const = default;
};

/// What has to change in `expected` to become `found`, by object and property. What belongs to a missing or unexpected
/// object is not told of by itself. Another role may have made what is in `found`: what the reader of `expected` owns
/// there should have one owner in `found`, the one that most of it has. Who owns the schema is no difference.
std::vector<difference> compare(const catalog& expected, const catalog& found);

}  // namespace migrate
