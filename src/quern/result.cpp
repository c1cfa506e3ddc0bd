#include "quern/result.hpp"

#include <libpq-fe.h>

#include <cassert>
#include <charconv>
#include <string>

#include "quern/error.hpp"

namespace quern {

static_assert(sizeof(oid) == sizeof(Oid));

namespace {

[[noreturn]] void fail_no_column(std::size_t column) {
  throw codec_error{"the result has no column " + std::to_string(column)};
}

}  // namespace

bool row::is_null(std::size_t column) const {
  return PQgetisnull(result_, number_, static_cast<int>(column)) != 0;
}

std::span<const std::byte> row::bytes(std::size_t column) const {
  const int index = static_cast<int>(column);
  const char* const value = PQgetvalue(result_, number_, index);
  if (value == nullptr) fail_no_column(column);
  return {reinterpret_cast<const std::byte*>(value), static_cast<std::size_t>(PQgetlength(result_, number_, index))};
}

std::optional<std::string_view> row::text(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return wire::as_text(bytes(column));
}

oid row::type(std::size_t column) const {
  const int index = static_cast<int>(column);
  if (index >= PQnfields(result_)) fail_no_column(column);
  return PQfformat(result_, index) == 0 ? types::unknown : PQftype(result_, index);
}

void result::clear::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

std::size_t result::size() const noexcept {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::size_t result::column_count() const noexcept {
  return static_cast<std::size_t>(PQnfields(result_.get()));
}

std::string_view result::column_name(std::size_t column) const {
  const char* const name = PQfname(result_.get(), static_cast<int>(column));
  return name == nullptr ? std::string_view{} : name;
}

oid result::column_type(std::size_t column) const {
  return PQftype(result_.get(), static_cast<int>(column));
}

std::uint64_t result::affected_rows() const noexcept {
  const std::string_view digits = result_ ? PQcmdTuples(result_.get()) : "";
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

std::string_view result::command() const noexcept {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

row result::operator[](std::size_t number) const {
  assert(number < size());
  return {result_.get(), static_cast<int>(number)};
}

row result::single_row() const {
  if (size() != 1) throw codec_error{"one row was expected, the statement returned " + std::to_string(size())};
  return (*this)[0];
}

}  // namespace quern
