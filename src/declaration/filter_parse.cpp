#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pg_query.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "declaration/codes.hpp"
#include "declaration/filter.hpp"
#include "declaration/report.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"
#include "text/utf8.hpp"

namespace declaration {
namespace {

using json = nlohmann::json;
using namespace std::string_view_literals;

constexpr std::size_t longest_filter = 2000;
constexpr int deepest_filter = 50;
// Behind a comma nothing may stand that is for all columns: `all`, `distinct`.
constexpr std::string_view before = "select null, ";

constexpr std::array comparisons{"="sv, "<>"sv, "<"sv, "<="sv, ">"sv, ">="sv};
constexpr std::array infixes{"="sv,  "<>"sv,  "<"sv,  "<="sv, ">"sv, ">="sv, "+"sv, "-"sv,  "*"sv,  "/"sv,  "%"sv,
                             "->"sv, "->>"sv, "@>"sv, "<@"sv, "?"sv, "&&"sv, "~"sv, "~*"sv, "!~"sv, "!~*"sv};
constexpr std::array functions{"abs"sv,          "btrim"sv, "cardinality"sv, "ceil"sv,  "floor"sv,
                               "jsonb_typeof"sv, "left"sv,  "length"sv,      "lower"sv, "ltrim"sv,
                               "right"sv,        "round"sv, "rtrim"sv,       "upper"sv};

template <typename List>
bool has(const List& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

/// Thrown and caught in this file: the first thing that cannot be read ends the reading.
struct refusal {
  filter_problem problem;
};

class filter_parser {
 public:
  explicit filter_parser(const std::string& written) : written_{written} {}

  filter_node read() {
    if (written_.size() > longest_filter)
      refuse(0, fmt::format("a filter has at most {} bytes; this one has {}", longest_filter, written_.size()));
    if (written_.find_first_not_of(" \t\r\n") == std::string::npos)
      refuse(0, "the filter is empty", "leave it away to receive every event");
    const auto target = find_target(parse());
    return expression(target, 0);
  }

 private:
  [[noreturn]] void refuse(std::size_t offset, std::string message, std::string help = {}) const {
    throw refusal{{code::invalid_filter, std::move(message), std::move(help), offset, size_of_word(offset)}};
  }

  /// A word, or the run of signs that stands there.
  std::size_t size_of_word(std::size_t offset) const {
    const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0 || c < 0; };
    std::size_t size = 0;
    while (offset + size < written_.size() && is_word(written_[offset + size])) ++size;
    return std::max<std::size_t>(size, 1);
  }

  json parse() const {
    const auto sql = std::string{before} + written_;
    const PgQueryParseResult parsed = pg_query_parse(sql.c_str());
    auto tree = parsed.error == nullptr ? json::parse(parsed.parse_tree, nullptr, false) : json{};
    std::optional<refusal> wrong;
    if (parsed.error != nullptr) {
      wrong = refusal{{code::invalid_filter, words_of(*parsed.error), "", offset_of(sql, *parsed.error), 1}};
    }
    pg_query_free_parse_result(parsed);
    if (wrong) {
      wrong->problem.size = size_of_word(wrong->problem.offset);
      throw *wrong;
    }
    return tree;
  }

  static std::string words_of(const PgQueryError& error) {
    return fmt::format("the filter is not an expression of SQL: {}", text::clipped(error.message, 200));
  }

  /// The parser counts characters in the places of its errors.
  std::size_t offset_of(const std::string& sql, const PgQueryError& error) const {
    std::size_t at = 0;
    for (int i = 1; i < error.cursorpos && at < sql.size(); ++i) at += text::character_at(sql, at).size;
    return std::min(at - std::min(at, before.size()), written_.size());
  }

  json find_target(const json& tree) const {
    constexpr auto alone = "a filter is one condition, without anything before or behind it";
    if (tree.is_discarded() || !tree.contains("stmts") || tree["stmts"].size() != 1) refuse(0, alone);
    const auto& statement = tree["stmts"][0];
    if (statement.contains("stmt_len"))
      refuse(std::min(statement["stmt_len"].get<std::size_t>() - before.size(), written_.size() - 1), alone);
    const auto kind = statement["stmt"].begin();
    if (kind.key() != "SelectStmt") refuse(0, alone);
    for (const auto& [key, value] : kind->items()) {
      const bool is_plain = key == "targetList" || (key == "limitOption" && value == "LIMIT_OPTION_DEFAULT") ||
                            (key == "op" && value == "SETOP_NONE");
      if (!is_plain) refuse(0, alone);
    }
    const auto& targets = kind->value("targetList", json::array());
    if (targets.size() != 2) refuse(0, alone);
    const auto& target = targets[1]["ResTarget"];
    only(target, {"val", "location"}, 0, alone);
    return target["val"];
  }

  /// Of what stands in a tree nothing is passed over.
  void only(const json& node, std::initializer_list<std::string_view> keys, std::size_t offset,
            const std::string& otherwise) const {
    for (const auto& [key, value] : node.items()) {
      if (!has(keys, std::string_view{key})) refuse(offset, otherwise);
    }
  }

  std::size_t place(const json& node) const {
    const auto at = node.value("location", 0);
    return at < static_cast<int>(before.size()) ? 0 : static_cast<std::size_t>(at) - before.size();
  }

  filter_node expression(const json& holder, int depth) const {
    const auto kind = holder.begin().key();
    const auto& node = holder.begin().value();
    const auto offset = place(node);
    if (depth > deepest_filter)
      refuse(offset, fmt::format("the filter is nested deeper than {} levels", deepest_filter));
    filter_node made{.offset = offset};
    if (kind == "ColumnRef") return field(node, std::move(made));
    if (kind == "A_Const") return constant(node, std::move(made));
    if (kind == "BoolExpr") return logic(node, std::move(made), depth);
    if (kind == "A_Expr") return operation(node, std::move(made), depth);
    if (kind == "NullTest" || kind == "BooleanTest") return test(node, std::move(made), depth);
    if (kind == "TypeCast") return cast(node, std::move(made), depth);
    if (kind == "A_ArrayExpr") return array(node, std::move(made), depth);
    if (kind == "FuncCall") return function(node, std::move(made), depth);
    if (kind == "CoalesceExpr") return call("coalesce", node, std::move(made), depth);
    if (kind == "MinMaxExpr")
      return call(node["op"] == "IS_LEAST" ? "least" : "greatest", node, std::move(made), depth);
    refuse(offset, why_not(kind), help_for(kind));
  }

  static std::string why_not(const std::string& kind) {
    if (kind == "SubLink") return "a filter looks at one event alone: it has no subquery";
    if (kind == "ParamRef") return "a filter has no parameters";
    if (kind == "SQLValueFunction") return "a filter says the same at any time, and of whoever asks";
    if (kind == "CaseExpr") return "'case' is not allowed in a filter: write it with 'and' and 'or'";
    if (kind == "CollateClause") return "'collate' is not allowed in a filter";
    if (kind == "RowExpr") return "a row of several values is not allowed in a filter";
    return "this is not allowed in a filter";
  }

  static std::string help_for(const std::string& kind) {
    // `user`, `current_date`: words of SQL that are not in quotes.
    return kind == "SQLValueFunction" ? "a field of that name is written in double quotes" : "";
  }

  filter_node field(const json& node, filter_node made) const {
    const auto& names = node["fields"];
    if (names.size() != 1 || !names[0].contains("String"))
      refuse(made.offset, "a field is written by its name alone, without the stream's");
    made.kind = filter_kind::field;
    made.text = names[0]["String"].value("sval", "");
    made.is_quoted = !is_written(made.offset, made.text);
    return made;
  }

  /// Letters of SQL may be large.
  bool is_written(std::size_t offset, std::string_view name) const {
    const auto there = std::string_view{written_}.substr(offset, name.size());
    return std::equal(there.begin(), there.end(), name.begin(), name.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
  }

  filter_node constant(const json& node, filter_node made) const {
    if (node.contains("isnull")) return made;
    if (node.contains("sval")) {
      made.kind = filter_kind::literal;
      made.text = node["sval"].value("sval", "");
    } else if (node.contains("ival")) {
      made.kind = filter_kind::number;
      made.text = whole_number(node, made.offset);
    } else if (node.contains("fval")) {
      made.kind = filter_kind::number;
      made.text = node["fval"].value("fval", "");
    } else if (node.contains("boolval")) {
      made.kind = filter_kind::truth;
      made.text = node["boolval"].value("boolval", false) ? "true" : "false";
    } else {
      refuse(made.offset, "a constant of this kind is not allowed in a filter");
    }
    return made;
  }

  /// The tree has none that are not positive: it says that there is a number, where, and not which.
  std::string whole_number(const json& node, std::size_t offset) const {
    if (const auto& known = node["ival"]; known.contains("ival")) return fmt::to_string(known["ival"].get<int>());
    bool is_negative = false;
    auto at = offset;
    for (; at < written_.size() && std::string_view{"-( \t\r\n"}.find(written_[at]) != std::string_view::npos; ++at)
      is_negative ^= written_[at] == '-';
    const auto end = std::min(written_.find_first_not_of("0123456789", at), written_.size());
    const auto digits = written_.substr(at, end - at);
    const bool is_zero = digits.find_first_not_of('0') == std::string::npos;
    if (digits.empty() || (!is_zero && !is_negative))
      refuse(offset, "this number cannot be read", "a negative number is written as -5");
    return is_zero ? "0" : "-" + digits;
  }

  filter_node logic(const json& node, filter_node made, int depth) const {
    const auto which = node.value("boolop", "");
    made.kind = which == "NOT_EXPR" ? filter_kind::negation : filter_kind::logic;
    made.text = which == "NOT_EXPR" ? "not" : which == "AND_EXPR" ? "and" : "or";
    add(made, node["args"], depth);
    return made;
  }

  void add(filter_node& to, const json& list, int depth) const {
    for (const auto& one : list) to.parts.push_back(expression(one, depth + 1));
  }

  filter_node test(const json& node, filter_node made, int depth) const {
    static const std::map<std::string, std::string, std::less<>> words{
        {"IS_NULL", "is null"},       {"IS_NOT_NULL", "is not null"},
        {"IS_TRUE", "is true"},       {"IS_NOT_TRUE", "is not true"},
        {"IS_FALSE", "is false"},     {"IS_NOT_FALSE", "is not false"},
        {"IS_UNKNOWN", "is unknown"}, {"IS_NOT_UNKNOWN", "is not unknown"}};
    only(node, {"arg", "nulltesttype", "booltesttype", "location"}, made.offset,
         "this test is not allowed in a filter");
    made.kind = filter_kind::test;
    made.text = words.at(node.value(node.contains("nulltesttype") ? "nulltesttype" : "booltesttype", ""));
    made.parts.push_back(expression(node["arg"], depth + 1));
    return made;
  }

  filter_node operation(const json& node, filter_node made, int depth) const {
    const auto kind = node.value("kind", "");
    const auto name = node["name"].size() == 1 ? node["name"][0]["String"].value("sval", "") : std::string{};
    made.text = name;
    if (kind == "AEXPR_OP") return infix(node, std::move(made), depth);
    if (kind == "AEXPR_DISTINCT") return two(node, std::move(made), "is distinct from", depth);
    if (kind == "AEXPR_NOT_DISTINCT") return two(node, std::move(made), "is not distinct from", depth);
    if (kind == "AEXPR_LIKE") return two(node, std::move(made), name == "~~" ? "like" : "not like", depth);
    if (kind == "AEXPR_ILIKE") return two(node, std::move(made), name == "~~*" ? "ilike" : "not ilike", depth);
    if (kind == "AEXPR_NULLIF") {
      made = two(node, std::move(made), "nullif", depth);
      made.kind = filter_kind::call;
      return made;
    }
    if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL") return quantity(node, std::move(made), depth);
    if (kind == "AEXPR_IN") return several(node, std::move(made), name == "=" ? "in" : "not in", depth);
    if (kind == "AEXPR_BETWEEN") return several(node, std::move(made), "between", depth);
    if (kind == "AEXPR_NOT_BETWEEN") return several(node, std::move(made), "not between", depth);
    if (kind == "AEXPR_BETWEEN_SYM") return several(node, std::move(made), "between symmetric", depth);
    if (kind == "AEXPR_NOT_BETWEEN_SYM") return several(node, std::move(made), "not between symmetric", depth);
    refuse(made.offset, kind == "AEXPR_SIMILAR" ? "'similar to' is not allowed in a filter: use like or ~"
                                                : "this operator is not allowed in a filter");
  }

  filter_node infix(const json& node, filter_node made, int depth) const {
    if (!node.contains("lexpr")) {
      if (made.text != "-" && made.text != "+") refuse(made.offset, unknown_operator(made.text));
      made.kind = filter_kind::sign;
      made.parts.push_back(expression(node["rexpr"], depth + 1));
      return made;
    }
    if (!has(infixes, made.text)) refuse(made.offset, unknown_operator(made.text));
    auto text = made.text;
    return two(node, std::move(made), std::move(text), depth);
  }

  static std::string unknown_operator(std::string_view name) {
    if (name.empty()) return "an operator is written by its sign alone";
    return fmt::format("the operator {} is not allowed in a filter", text::clipped(name));
  }

  filter_node two(const json& node, filter_node made, std::string text, int depth) const {
    made.kind = filter_kind::infix;
    made.text = std::move(text);
    made.parts.push_back(expression(node["lexpr"], depth + 1));
    made.parts.push_back(expression(node["rexpr"], depth + 1));
    return made;
  }

  filter_node quantity(const json& node, filter_node made, int depth) const {
    if (!has(comparisons, made.text)) refuse(made.offset, unknown_operator(made.text));
    auto text = fmt::format("{} {}", made.text, node["kind"] == "AEXPR_OP_ANY" ? "any" : "all");
    made = two(node, std::move(made), std::move(text), depth);
    made.kind = filter_kind::quantity;
    return made;
  }

  filter_node several(const json& node, filter_node made, std::string text, int depth) const {
    made.kind = text == "in" || text == "not in" ? filter_kind::list : filter_kind::between;
    made.text = std::move(text);
    made.parts.push_back(expression(node["lexpr"], depth + 1));
    add(made, node["rexpr"]["List"]["items"], depth);
    return made;
  }

  filter_node array(const json& node, filter_node made, int depth) const {
    made.kind = filter_kind::array;
    add(made, node.value("elements", json::array()), depth);
    if (made.parts.empty()) refuse(made.offset, "an array in a filter has at least one element");
    return made;
  }

  filter_node call(std::string name, const json& node, filter_node made, int depth) const {
    made.kind = filter_kind::call;
    made.text = std::move(name);
    add(made, node.value("args", json::array()), depth);
    return made;
  }

  filter_node function(const json& node, filter_node made, int depth) const {
    const auto& names = node["funcname"];
    const auto last = names.back()["String"].value("sval", "");
    const bool is_written_as_sql = node.value("funcformat", "") == "COERCE_SQL_SYNTAX";
    if ((names.size() != 1 && !is_written_as_sql) || !has(functions, last)) {
      auto help = fmt::format("allowed are coalesce, greatest, least, nullif, {}", fmt::join(functions, ", "));
      if (const auto better = text::nearest_name(last, functions)) help = fmt::format("did you mean '{}'?", *better);
      refuse(made.offset, fmt::format("the function '{}' is not allowed in a filter", text::clipped(last)),
             std::move(help));
    }
    only(node, {"funcname", "args", "funcformat", "location"}, made.offset,
         fmt::format("the function '{}' is called with its arguments alone", last));
    return call(last, node, std::move(made), depth);
  }

  filter_node cast(const json& node, filter_node made, int depth) const {
    const auto& type = node["typeName"];
    made.offset = place(type);
    const auto type_offset = made.offset;
    only(type, {"names", "typmods", "typemod", "arrayBounds", "location"}, type_offset,
         "this is not a type of a payload");
    made.kind = filter_kind::cast;
    made.type = type_of(type, type_offset);
    made.parts.push_back(expression(node["arg"], depth + 1));
    return made;
  }

  /// Whether there is an enumeration of a name that is no type is for the check.
  field_type type_of(const json& type, std::size_t offset) const {
    const auto& names = type["names"];
    auto name = names.back()["String"].value("sval", "");
    const bool is_system = names.size() == 2 && names[0]["String"].value("sval", "") == "pg_catalog";
    if (names.size() != 1 && !is_system) refuse(offset, "a type is written as in a payload, without a schema");
    name += arguments_of(type, offset);
    field_type made;
    report problems;
    if (const auto known = parse_type(name, {}, {}, problems)) {
      made = *known;
    } else if (is_system || problems.has(code::invalid_type)) {
      const auto why = problems.take().front();
      refuse(offset, why.message, why.help);
    } else {
      made.base = base_type::enumeration;
      made.enumeration = name;
    }
    made.is_array = type.contains("arrayBounds");
    return made;
  }

  std::string arguments_of(const json& type, std::size_t offset) const {
    if (!type.contains("typmods")) return {};
    std::vector<int> numbers;
    for (const auto& one : type["typmods"]) {
      if (!one.contains("A_Const") || !one["A_Const"].contains("ival"))
        refuse(offset, "the arguments of a type are whole numbers");
      numbers.push_back(std::stoi(whole_number(one["A_Const"], place(one["A_Const"]))));
    }
    return fmt::format("({})", fmt::join(numbers, ","));
  }

  const std::string& written_;
};

}  // namespace

parsed_filter parse_filter(const std::string& written) {
  try {
    return {filter_parser{written}.read(), {}};
  } catch (const refusal& why) {
    return {{}, {why.problem}};
  }
}

}  // namespace declaration
