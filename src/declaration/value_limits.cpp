#include "declaration/value_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "declaration/codes.hpp"
#include "declaration/pattern.hpp"
#include "declaration/values.hpp"
#include "text/suggestion.hpp"
#include "text/utf8.hpp"

namespace declaration {
namespace {

class limit_check {
 public:
  limit_check(const field& of, const entry& from, std::string_view what, const known_enumerations& known,
              report& problems)
      : of_{of}, from_{from}, what_{what}, known_{known}, problems_{problems} {}

  bool is_allowed(const value& read) {
    const auto& type = of_.type;
    if (type.base == base_type::enumeration && !type.is_array) return is_enumerated(std::get<std::string>(read));
    const auto& [min, max, max_length, pattern] = of_.constraints;
    if (min && compare_values(read, *min, type) < 0)
      return violated(read, fmt::format("smaller than 'min' ({})", spell(*min, type)));
    if (max && compare_values(read, *max, type) > 0)
      return violated(read, fmt::format("larger than 'max' ({})", spell(*max, type)));
    if (type.base != base_type::text || type.is_array) return true;
    const auto& written = std::get<std::string>(read);
    if (max_length && text::count_characters(written) > static_cast<std::size_t>(*max_length)) {
      return violated(read, fmt::format("longer than 'max_length' ({})", *max_length));
    }
    return !pattern || is_matched(read, *pattern);
  }

 private:
  bool violated(const value& read, std::string_view how) {
    problems_.error(code::violated_constraint, from_.value.where,
                    fmt::format("the {} {} is {}", what_, spell(read, of_.type), how));
    return false;
  }

  bool is_matched(const value& read, std::string_view pattern) {
    switch (match(pattern, std::get<std::string>(read))) {
      case match_result::yes:
        return true;
      case match_result::no:
        return violated(read, "not matched by 'pattern'");
      case match_result::unknown:
        break;
    }
    auto& problem = problems_.error(code::violated_constraint, from_.value.where,
                                    fmt::format("whether the {} {} matches 'pattern' cannot be said without a database",
                                                what_, spell(read, of_.type)));
    problem.help = fmt::format(
        "leave the {} away, or use a pattern without look-around, back references and, for text that is\nnot "
        "ASCII, character classes",
        what_);
    return false;
  }

  bool is_enumerated(const std::string& name) {
    const auto found = std::find_if(known_.declared->begin(), known_.declared->end(),
                                    [&](const enumeration& e) { return e.name == of_.type.enumeration; });
    if (found == known_.declared->end()) return false;
    const auto& values = found->values;
    // An enumeration without values has been reported.
    if (values.empty() || std::find(values.begin(), values.end(), name) != values.end()) return true;
    auto& problem =
        problems_.error(code::unknown_value, from_.value.where,
                        fmt::format("the enum '{}' has no value {}", found->name, spell(value(name), of_.type)));
    const std::vector<std::string_view> candidates(values.begin(), values.end());
    if (const auto better = text::nearest_name(name, candidates))
      problem.help = fmt::format("did you mean \"{}\"?", *better);
    problem.notes.push_back({fmt::format("the enum '{}' is declared here", found->name), found->where});
    return false;
  }

  const field& of_;
  const entry& from_;
  std::string_view what_;
  const known_enumerations& known_;
  report& problems_;
};

}  // namespace

bool is_allowed(const value& read, const field& of, const entry& from, std::string_view what,
                const known_enumerations& known, report& problems) {
  return limit_check{of, from, what, known, problems}.is_allowed(read);
}

}  // namespace declaration
