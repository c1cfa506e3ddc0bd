#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "declaration/filter.hpp"
#include "declaration/types.hpp"

namespace declaration {
namespace {

/// How tightly a node holds together: what stands in one that holds as tightly gets parentheses.
enum class strength { any_of, all_of, negation, test, comparison, other, sign, cast, whole };

/// Of the others PostgreSQL has more levels than anybody remembers: they always get parentheses.
bool is_comparison(std::string_view text) {
  constexpr std::array signs{"=", "<>", "<", "<=", ">", ">="};
  return text.ends_with("like") || std::find(signs.begin(), signs.end(), text) != signs.end();
}

strength strength_of(const filter_node& node) {
  switch (node.kind) {
    case filter_kind::logic:
      return node.text == "or" ? strength::any_of : strength::all_of;
    case filter_kind::negation:
      return strength::negation;
    case filter_kind::test:
      return strength::test;
    case filter_kind::infix:
      if (node.text.starts_with("is ")) return strength::test;
      return is_comparison(node.text) ? strength::comparison : strength::other;
    case filter_kind::list:
    case filter_kind::between:
    case filter_kind::quantity:
      return strength::comparison;
    case filter_kind::sign:
      return strength::sign;
    case filter_kind::number:
      return node.text.starts_with('-') ? strength::sign : strength::whole;
    case filter_kind::cast:
      return strength::cast;
    default:
      return strength::whole;
  }
}

class speller {
 public:
  explicit speller(const filter_spelling& with) : with_{with} {}

  std::string spell(const filter_node& node) const {
    const auto& parts = node.parts;
    switch (node.kind) {
      case filter_kind::field:
        return with_.field(node);
      case filter_kind::literal:
        return with_.literal(node.text);
      case filter_kind::number:
      case filter_kind::truth:
        return node.text;
      case filter_kind::null:
        return "null";
      case filter_kind::logic:
        return fmt::format("{}", fmt::join(inner(node, 0), fmt::format(" {} ", node.text)));
      case filter_kind::negation:
        return fmt::format("not {}", inner(node, parts[0]));
      case filter_kind::test:
        return fmt::format("{} {}", inner(node, parts[0]), node.text);
      case filter_kind::infix:
        return fmt::format("{} {} {}", inner(node, parts[0]), node.text, inner(node, parts[1]));
      case filter_kind::sign:
        return fmt::format("{} {}", node.text, inner(node, parts[0]));
      case filter_kind::list:
        return fmt::format("{} {} ({})", inner(node, parts[0]), node.text, fmt::join(whole(node, 1), ", "));
      case filter_kind::between:
        return fmt::format("{} {} {}", inner(node, parts[0]), node.text, fmt::join(inner(node, 1), " and "));
      case filter_kind::quantity:
        return fmt::format("{} {} ({})", inner(node, parts[0]), node.text, spell(parts[1]));
      case filter_kind::array:
        return fmt::format("array[{}]", fmt::join(whole(node, 0), ", "));
      case filter_kind::call:
        return fmt::format("{}({})", node.text, fmt::join(whole(node, 0), ", "));
      case filter_kind::cast:
        return fmt::format("{}::{}", inner(node, parts[0]), with_.type(node.type));
    }
    return {};
  }

 private:
  std::string inner(const filter_node& outside, const filter_node& part) const {
    auto text = spell(part);
    return strength_of(part) > strength_of(outside) ? text : fmt::format("({})", text);
  }

  std::vector<std::string> inner(const filter_node& node, std::size_t from) const {
    std::vector<std::string> result;
    for (auto i = from; i < node.parts.size(); ++i) result.push_back(inner(node, node.parts[i]));
    return result;
  }

  /// Between commas nothing needs parentheses.
  std::vector<std::string> whole(const filter_node& node, std::size_t from) const {
    std::vector<std::string> result;
    for (auto i = from; i < node.parts.size(); ++i) result.push_back(spell(node.parts[i]));
    return result;
  }

  const filter_spelling& with_;
};

std::string quoted(std::string_view text, char quote) {
  std::string result{quote};
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result += quote;
}

}  // namespace

std::string spell_filter(const filter_node& root, const filter_spelling& with) {
  return speller{with}.spell(root);
}

std::string spell_filter(const filter_node& root) {
  const filter_spelling plain{
      .field = [](const filter_node& field) { return field.is_quoted ? quoted(field.text, '"') : field.text; },
      .literal = [](std::string_view text) { return quoted(text, '\''); },
      .type =
          [](const field_type& type) {
            if (type.base != base_type::enumeration) return spell(type);
            return quoted(type.enumeration, '"') + (type.is_array ? "[]" : "");
          }};
  return spell_filter(root, plain);
}

}  // namespace declaration
