#include "quern/worker_log.hpp"

#include <algorithm>

#include "quern/wire.hpp"

namespace quern {
namespace {

bool is_plain(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
         std::string_view{"_-.:/"}.find(each) != std::string_view::npos;
}

std::string escaped(unsigned char each) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (each == '"') return "\\\"";
  if (each == '\\') return "\\\\";
  if (each == '\n') return "\\n";
  if (each == '\r') return "\\r";
  if (each == '\t') return "\\t";
  if (each >= 0x20) return std::string(1, static_cast<char>(each));
  return std::string{"\\u00"} + digits[each >> 4U] + digits[each & 15U];
}

// Both forms quote as JSON does.
std::string quoted(std::string_view text) {
  std::string line = "\"";
  for (const char each : wire::as_valid_text(text, text.size() * 3)) line += escaped(static_cast<unsigned char>(each));
  return line += '"';
}

std::string as_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_plain) ? std::string{text} : quoted(text);
}

template <class Visit>
void for_each_value(const log_record& record, Visit visit) {
  visit("event", record.event);
  visit("queue", record.queue);
  if (!record.consumer.empty()) visit("consumer", record.consumer);
  for (const auto& [name, value] : record.values) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      visit(name, *number);
    } else {
      visit(name, std::string_view{std::get<std::string>(value)});
    }
  }
}

}  // namespace

std::string to_text(const log_record& record) {
  std::string line;
  for_each_value(record, [&]<class Value>(std::string_view name, const Value& value) {
    if (!line.empty()) line += ' ';
    line.append(name) += '=';
    if constexpr (std::is_same_v<Value, std::int64_t>) {
      line += std::to_string(value);
    } else {
      line += as_text(value);
    }
  });
  return line;
}

std::string to_json(const log_record& record) {
  std::string line;
  for_each_value(record, [&]<class Value>(std::string_view name, const Value& value) {
    line += line.empty() ? '{' : ',';
    line += quoted(name) + ":";
    if constexpr (std::is_same_v<Value, std::int64_t>) {
      line += std::to_string(value);
    } else {
      line += quoted(value);
    }
  });
  return line += '}';
}

}  // namespace quern
