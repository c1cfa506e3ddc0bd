#include "declaration/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "declaration/codes.hpp"
#include "text/excerpt.hpp"
#include "text/suggestion.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

// In the order of base_type.
constexpr std::array names{"bool"sv, "int16"sv, "int32"sv, "int64"sv, "float32"sv,   "float64"sv,  "numeric"sv,
                           "text"sv, "bytes"sv, "uuid"sv,  "date"sv,  "timestamp"sv, "interval"sv, "jsonb"sv};

struct synonym {
  std::string_view other;
  std::string_view ours;
};

// What other systems call our types.
constexpr std::array synonyms{synonym{"bigint", "int64"},      synonym{"binary", "bytes"},
                              synonym{"blob", "bytes"},        synonym{"boolean", "bool"},
                              synonym{"bytea", "bytes"},       synonym{"datetime", "timestamp"},
                              synonym{"decimal", "numeric"},   synonym{"double", "float64"},
                              synonym{"duration", "interval"}, synonym{"float", "float64"},
                              synonym{"float4", "float32"},    synonym{"float8", "float64"},
                              synonym{"int", "int32"},         synonym{"int2", "int16"},
                              synonym{"int4", "int32"},        synonym{"int8", "int64"},
                              synonym{"integer", "int32"},     synonym{"json", "jsonb"},
                              synonym{"real", "float32"},      synonym{"smallint", "int16"},
                              synonym{"string", "text"},       synonym{"timestamptz", "timestamp"},
                              synonym{"varchar", "text"}};

/// Looks up to this many names for one that is near; a declaration with thousands of enums has many mistakes of its
/// own.
constexpr std::size_t most_candidates = 200;

std::string_view trimmed(std::string_view written) {
  while (written.starts_with(' ')) written.remove_prefix(1);
  while (written.ends_with(' ')) written.remove_suffix(1);
  return written;
}

bool take_suffix(std::string_view& rest, std::string_view suffix) {
  if (!rest.ends_with(suffix)) return false;
  rest.remove_suffix(suffix.size());
  return true;
}

std::optional<int> read_number(std::string_view digits) {
  digits = trimmed(digits);
  int number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

class type_parser {
 public:
  type_parser(std::string_view written, const text::span& where, std::span<const std::string_view> enumerations,
              report& problems)
      : written_(written), where_(where), enumerations_(enumerations), problems_(problems) {}

  std::optional<field_type> parse() {
    auto rest = written_;
    read_suffixes(rest);
    if (rest.ends_with("]") || rest.ends_with("?")) return refuse_suffixes(rest), std::nullopt;
    const auto open = rest.find('(');
    if (open != std::string_view::npos) return read_arguments(rest, open);
    return read_name(rest);
  }

 private:
  void read_suffixes(std::string_view& rest) {
    result_.is_optional = take_suffix(rest, "?");
    result_.is_array = take_suffix(rest, "[]");
    if (result_.is_array) result_.has_optional_elements = take_suffix(rest, "?");
  }

  void refuse_suffixes(std::string_view rest) {
    if (rest.ends_with("[]")) {
      auto& problem = problems_.error(code::invalid_type, where_, "arrays of arrays are not possible");
      problem.help = "use jsonb for nested lists";
    } else if (rest.ends_with("?")) {
      problems_.error(code::invalid_type, where_, "'?' stands twice");
    } else {
      auto& problem = problems_.error(code::invalid_type, where_, "an array has no size in its type: write '[]'");
      problem.help = "max_length limits how many elements it may have";
    }
  }

  std::optional<field_type> read_name(std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) {
      result_.base = static_cast<base_type>(found - names.begin());
      return result_;
    }
    if (std::find(enumerations_.begin(), enumerations_.end(), name) != enumerations_.end()) {
      result_.base = base_type::enumeration;
      result_.enumeration = name;
      return result_;
    }
    refuse_name(name);
    return std::nullopt;
  }

  void refuse_name(std::string_view name) {
    auto& problem = problems_.error(code::unknown_type, where_, fmt::format("unknown type '{}'", text::clipped(name)));
    problem.help =
        "types: bool int16 int32 int64 float32 float64 numeric(p,s) text bytes uuid date timestamp interval\n"
        "jsonb, the name of an enum, each also as T[] and T?";
    const auto same = std::find_if(synonyms.begin(), synonyms.end(), [&](const synonym& s) { return s.other == name; });
    std::optional<std::string> better;
    if (same != synonyms.end()) {
      better = same->ours;
    } else {
      std::vector<std::string_view> candidates(names.begin(), names.end());
      const auto known = enumerations_.first(std::min(enumerations_.size(), most_candidates));
      candidates.insert(candidates.end(), known.begin(), known.end());
      better = text::nearest_name(name, candidates);
    }
    if (better) problem.help = fmt::format("did you mean '{}'?", *better);
  }

  std::optional<field_type> read_arguments(std::string_view rest, std::size_t open) {
    if (trimmed(rest.substr(0, open)) != "numeric") {
      auto& problem =
          problems_.error(code::invalid_type, where_,
                          fmt::format("only numeric has arguments, not '{}'", text::clipped(rest.substr(0, open))));
      problem.help = "max_length limits text, bytes and arrays: { type = \"text\", max_length = 320 }";
      return std::nullopt;
    }
    result_.base = base_type::numeric;
    if (!rest.ends_with(')')) return refuse_numeric();
    const auto arguments = rest.substr(open + 1, rest.size() - open - 2);
    const auto comma = arguments.find(',');
    const auto precision = read_number(arguments.substr(0, comma));
    const auto scale = comma == std::string_view::npos ? std::optional(0) : read_number(arguments.substr(comma + 1));
    if (!precision || !scale || *precision < 1 || *precision > highest_precision || *scale < 0 || *scale > *precision) {
      return refuse_numeric();
    }
    result_.precision = *precision;
    result_.scale = *scale;
    return result_;
  }

  std::optional<field_type> refuse_numeric() {
    auto& problem =
        problems_.error(code::invalid_type, where_, fmt::format("'{}' is not possible", text::clipped(written_)));
    problem.help =
        fmt::format("numeric(p,s) has p digits, 1 to {}, of which s, 0 to p, stand behind the point: numeric(10,2)",
                    highest_precision);
    return std::nullopt;
  }

  std::string_view written_;
  text::span where_;
  std::span<const std::string_view> enumerations_;
  report& problems_;
  field_type result_;
};

}  // namespace

std::span<const std::string_view> base_type_names() {
  return names;
}

std::string_view name_of(base_type type) {
  return type == base_type::enumeration ? std::string_view{} : names[static_cast<std::size_t>(type)];
}

std::string spell(const field_type& type) {
  std::string result(type.base == base_type::enumeration ? type.enumeration : name_of(type.base));
  if (type.precision > 0) result += fmt::format("({},{})", type.precision, type.scale);
  if (type.has_optional_elements) result += '?';
  if (type.is_array) result += "[]";
  if (type.is_optional) result += '?';
  return result;
}

std::optional<field_type> parse_type(std::string_view written, const text::span& where,
                                     std::span<const std::string_view> enumerations, report& problems) {
  return type_parser(written, where, enumerations, problems).parse();
}

}  // namespace declaration
