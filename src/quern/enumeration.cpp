#include "quern/enumeration.hpp"

#include <string>

#include "quern/error.hpp"

namespace quern {

void fail_unknown_value(std::string_view type, long long value) {
  throw codec_error{std::to_string(value) + " is no value of the enum " + std::string{type}};
}

void fail_unknown_label(std::string_view type, std::string_view label) {
  throw codec_error{"the enum " + std::string{type} + " of this program has no label \"" +
                    std::string{label.substr(0, 64)} + "\": generate the program again"};
}

void fail_unresolved(std::string_view type) {
  throw codec_error{"an array of " + std::string{type} +
                    " needs the type's number: call connection::resolve_enum() first"};
}

}  // namespace quern
