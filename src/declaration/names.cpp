#include "declaration/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "declaration/codes.hpp"
#include "declaration/types.hpp"
#include "text/excerpt.hpp"

namespace declaration {
namespace {

using namespace std::string_view_literals;

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Sorted. C++20 [lex.key] with the identifiers that have a meaning in some places, [lex.digraph], then predefined
// macros of gcc's GNU modes and object-like macros of libc.
constexpr std::array cpp_words{"alignas"sv,      "alignof"sv,   "and"sv,          "and_eq"sv,
                               "asm"sv,          "assert"sv,    "auto"sv,         "bitand"sv,
                               "bitor"sv,        "bool"sv,      "break"sv,        "case"sv,
                               "catch"sv,        "char"sv,      "char16_t"sv,     "char32_t"sv,
                               "char8_t"sv,      "class"sv,     "co_await"sv,     "co_return"sv,
                               "co_yield"sv,     "compl"sv,     "concept"sv,      "const"sv,
                               "const_cast"sv,   "consteval"sv, "constexpr"sv,    "constinit"sv,
                               "continue"sv,     "decltype"sv,  "default"sv,      "delete"sv,
                               "do"sv,           "double"sv,    "dynamic_cast"sv, "else"sv,
                               "enum"sv,         "errno"sv,     "explicit"sv,     "export"sv,
                               "extern"sv,       "false"sv,     "float"sv,        "for"sv,
                               "friend"sv,       "goto"sv,      "i386"sv,         "if"sv,
                               "inline"sv,       "int"sv,       "linux"sv,        "long"sv,
                               "mutable"sv,      "namespace"sv, "new"sv,          "noexcept"sv,
                               "not"sv,          "not_eq"sv,    "nullptr"sv,      "offsetof"sv,
                               "operator"sv,     "or"sv,        "or_eq"sv,        "private"sv,
                               "protected"sv,    "public"sv,    "register"sv,     "reinterpret_cast"sv,
                               "requires"sv,     "return"sv,    "setjmp"sv,       "short"sv,
                               "signed"sv,       "sizeof"sv,    "static"sv,       "static_assert"sv,
                               "static_cast"sv,  "stderr"sv,    "stdin"sv,        "stdout"sv,
                               "struct"sv,       "switch"sv,    "template"sv,     "this"sv,
                               "thread_local"sv, "throw"sv,     "true"sv,         "try"sv,
                               "typedef"sv,      "typeid"sv,    "typename"sv,     "union"sv,
                               "unix"sv,         "unsigned"sv,  "using"sv,        "va_arg"sv,
                               "va_copy"sv,      "va_end"sv,    "va_list"sv,      "va_start"sv,
                               "virtual"sv,      "void"sv,      "volatile"sv,     "wchar_t"sv,
                               "while"sv,        "xor"sv,       "xor_eq"sv};

static_assert(std::is_sorted(cpp_words.begin(), cpp_words.end()));

// Object-like macros of <cmath>, <csignal> and <pthread.h>, which the library's headers reach.
constexpr std::array header_macros{"math_errhandling"sv,
                                   "sa_handler"sv,
                                   "sa_sigaction"sv,
                                   "sched_priority"sv,
                                   "si_addr"sv,
                                   "si_addr_lsb"sv,
                                   "si_arch"sv,
                                   "si_band"sv,
                                   "si_call_addr"sv,
                                   "si_fd"sv,
                                   "si_int"sv,
                                   "si_lower"sv,
                                   "si_overrun"sv,
                                   "si_pid"sv,
                                   "si_pkey"sv,
                                   "si_ptr"sv,
                                   "si_status"sv,
                                   "si_stime"sv,
                                   "si_syscall"sv,
                                   "si_timerid"sv,
                                   "si_uid"sv,
                                   "si_upper"sv,
                                   "si_utime"sv,
                                   "si_value"sv,
                                   "sigev_notify_attributes"sv,
                                   "sigev_notify_function"sv};

// What stands beside the payload in a table, a result or a parameter list.
constexpr std::array metadata{"message_id"sv,    "attempt"sv, "enqueued_at"sv, "lease_until"sv, "contract_version"sv,
                              "release_count"sv, "due_at"sv,  "dead_at"sv,     "last_error"sv,  "delay"sv,
                              "count"sv,         "lease"sv,   "payload"sv,     "is_blocking"sv};

constexpr std::array system_columns{"cmax"sv, "cmin"sv, "ctid"sv, "tableoid"sv, "xmax"sv, "xmin"sv};

template <typename Names>
bool is_among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view role_name(name_role role) {
  switch (role) {
    case name_role::project:
      return "project";
    case name_role::schema:
      return "schema";
    case name_role::cpp_namespace:
      return "namespace";
    case name_role::enumeration:
      return "enum";
    case name_role::enumeration_value:
      return "enum value";
    case name_role::queue:
      return "queue";
    case name_role::stream:
      return "stream";
    case name_role::stream_consumer:
      return "consumer";
    case name_role::schedule:
      return "schedule";
    case name_role::field:
      return "field";
  }
  return "";
}

/// Names in generated C++; a schema and a schedule stand in SQL alone.
bool is_cpp_name(name_role role) {
  return role != name_role::schema && role != name_role::project && role != name_role::schedule;
}

/// Why a well-formed name cannot be had; empty when it can.
std::string taken_by(std::string_view name, name_role role) {
  if (is_cpp_name(role) && is_cpp_keyword(name)) return "it is a keyword or a predefined macro of C++";
  if (role == name_role::enumeration_value) return {};
  if (name.starts_with("quern_")) return "names that begin with 'quern_' belong to Quern";
  if (name.starts_with("pg_")) return "names that begin with 'pg_' belong to PostgreSQL";
  if (role == name_role::field) {
    if (is_among(metadata, name)) return "it is a part of every message's metadata";
    if (is_among(system_columns, name)) return "every table of PostgreSQL has a system column of this name";
    if (name.starts_with("p_")) return "names that begin with 'p_' are the parameters of the generated functions";
    if (name.starts_with("v_")) return "names that begin with 'v_' are the variables of the generated functions";
    return {};
  }
  if (role == name_role::schema && name == "information_schema") return "it belongs to PostgreSQL";
  if (is_cpp_name(role) && (name == "std" || name == "quern" || name == "posix"))
    return "C++ code needs this namespace";
  if (role == name_role::enumeration && is_among(base_type_names(), name)) return "it is a type";
  const bool is_shared = name == "core" || name == "queue" || name == "stream";
  const bool is_line = role == name_role::queue || role == name_role::stream;
  if (is_line && is_shared) return "the objects that all queues share have names that begin with it";
  return {};
}

std::size_t longest_name(name_role role) {
  // Parameters are called p_<field>.
  return role == name_role::field ? longest_identifier - 2 : longest_identifier;
}

}  // namespace

bool is_snake_case(std::string_view name) {
  if (name.empty() || !is_letter(name.front()) || name.back() == '_') return false;
  if (name.find("__") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_cpp_keyword(std::string_view name) {
  return std::binary_search(cpp_words.begin(), cpp_words.end(), name) || is_among(header_macros, name);
}

std::string snake_case_of(std::string_view name) {
  std::string result;
  bool was_lower = false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) >= 0x80) return {};
    const bool is_upper = c >= 'A' && c <= 'Z';
    const char lower = is_upper ? static_cast<char>(c - 'A' + 'a') : c;
    if (!is_letter(lower) && !is_digit(lower)) {
      if (!result.empty() && result.back() != '_') result += '_';
    } else {
      if (is_upper && was_lower) result += '_';
      result += lower;
    }
    was_lower = !is_upper && is_letter(c);
  }
  while (result.ends_with('_')) result.pop_back();
  return is_snake_case(result) ? result : std::string{};
}

bool check_name(std::string_view name, name_role role, const text::span& where, report& problems) {
  if (!is_snake_case(name)) {
    auto& problem = problems.error(code::invalid_name, where,
                                   fmt::format("'{}' cannot be the name of {} {}", text::clipped(name),
                                               role_name(role).front() == 'e' ? "an" : "a", role_name(role)));
    problem.help =
        "a name is in snake_case: lower-case letters a-z, digits and single underscores, with a letter first";
    const auto better = snake_case_of(name);
    if (!better.empty() && better.size() <= longest_name(role))
      problem.help += fmt::format("\ndid you mean '{}'?", better);
    return false;
  }
  if (name.size() > longest_name(role)) {
    problems.error(code::name_too_long, where,
                   fmt::format("the {} name '{}' has {} bytes; {} are the most", role_name(role), text::clipped(name),
                               name.size(), longest_name(role)));
    return false;
  }
  if (const auto reason = taken_by(name, role); !reason.empty()) {
    problems.error(code::reserved_name, where,
                   fmt::format("the {} name '{}' is reserved: {}", role_name(role), name, reason));
    return false;
  }
  return true;
}

}  // namespace declaration
