#include "check/json_schema.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>

namespace test {
namespace {

using nlohmann::json;

class validator {
 public:
  explicit validator(const json& root) : root_{root} {}

  std::vector<std::string> run(const json& value) {
    check(root_, value, "");
    return std::move(found_);
  }

 private:
  bool fits(const json& schema, const json& value) {
    validator own{root_};
    own.check(schema, value, "");
    return own.found_.empty();
  }

  void demand(bool holds, const std::string& where, const std::string& keyword) {
    if (!holds) found_.push_back(where + ": " + keyword);
  }

  void check(const json& schema, const json& value, const std::string& where) {
    if (schema.is_boolean()) return demand(schema.get<bool>(), where, "false");
    for (const auto& [keyword, argument] : schema.items()) check_keyword(keyword, argument, schema, value, where);
  }

  void check_keyword(const std::string& keyword, const json& argument, const json& schema, const json& value,
                     const std::string& where) {
    static const std::set<std::string> silent{"$schema", "$defs",      "title",   "description",
                                              "default", "properties", "examples"};
    if (silent.contains(keyword)) {
      if (keyword == "properties") check_properties(schema, value, where);
    } else if (keyword == "$ref") {
      check(root_.at(json::json_pointer{argument.get<std::string>().substr(1)}), value, where);
    } else if (keyword == "type") {
      demand(has_type(argument, value), where, keyword);
    } else if (keyword == "enum") {
      demand(std::ranges::find(argument, value) != argument.end(), where, keyword);
    } else if (keyword == "const") {
      demand(argument == value, where, keyword);
    } else if (keyword == "anyOf") {
      demand(std::ranges::any_of(argument, [&](const json& each) { return fits(each, value); }), where, keyword);
    } else {
      check_limit(keyword, argument, schema, value, where);
    }
  }

  void check_limit(const std::string& keyword, const json& argument, const json& schema, const json& value,
                   const std::string& where) {
    if (keyword == "pattern") {
      demand(!value.is_string() || std::regex_search(value.get<std::string>(), std::regex{argument.get<std::string>()}),
             where, keyword);
    } else if (keyword == "minLength" || keyword == "maxLength") {
      check_size(keyword, argument, value.is_string() ? value.get<std::string>().size() : 0, value.is_string(), where);
    } else if (keyword == "minItems" || keyword == "maxItems") {
      check_size(keyword, argument, value.size(), value.is_array(), where);
    } else if (keyword == "minProperties" || keyword == "maxProperties") {
      check_size(keyword, argument, value.size(), value.is_object(), where);
    } else if (keyword == "minimum" || keyword == "maximum") {
      if (value.is_number()) demand(keyword == "minimum" ? value >= argument : value <= argument, where, keyword);
    } else if (keyword == "uniqueItems") {
      demand(!value.is_array() || std::set<json>(value.begin(), value.end()).size() == value.size(), where, keyword);
    } else if (keyword == "required") {
      for (const json& key : argument)
        demand(!value.is_object() || value.contains(key.get<std::string>()), where,
               "required " + key.get<std::string>());
    } else if (keyword == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
        check(argument, value[i], where + "/" + std::to_string(i));
    } else if (keyword == "additionalProperties" || keyword == "propertyNames") {
      check_members(keyword, argument, schema, value, where);
    } else {
      throw std::logic_error{"the validator of the tests does not know " + keyword};
    }
  }

  void check_size(const std::string& keyword, const json& limit, std::size_t size, bool applies,
                  const std::string& where) {
    if (!applies) return;
    demand(keyword.starts_with("min") ? size >= limit.get<std::size_t>() : size <= limit.get<std::size_t>(), where,
           keyword);
  }

  void check_members(const std::string& keyword, const json& argument, const json& schema, const json& value,
                     const std::string& where) {
    if (!value.is_object()) return;
    for (const auto& [key, member] : value.items()) {
      const bool is_known = schema.contains("properties") && schema["properties"].contains(key);
      if (keyword == "propertyNames") check(argument, key, where + "/" + key);
      if (keyword == "additionalProperties" && !is_known) check(argument, member, where + "/" + key);
    }
  }

  void check_properties(const json& schema, const json& value, const std::string& where) {
    if (!value.is_object()) return;
    for (const auto& [key, own] : schema["properties"].items())
      if (value.contains(key)) check(own, value[key], where + "/" + key);
  }

  static bool has_type(const json& type, const json& value) {
    if (type.is_array()) return std::ranges::any_of(type, [&](const json& each) { return has_type(each, value); });
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "number") return value.is_number();
    if (type == "integer") return value.is_number_integer();
    throw std::logic_error{"the validator of the tests does not know the type " + type.dump()};
  }

  const json& root_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> schema_violations(const json& schema, const json& value) {
  return validator{schema}.run(value);
}

}  // namespace test
