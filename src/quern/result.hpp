#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <quern/codec.hpp>
#include <span>
#include <string_view>

struct pg_result;  // libpq's PGresult

namespace quern {

/// A row of a result, by columns from 0. It refers to the result, which must outlive it.
class row {
 public:
  row(const pg_result* result, int number) noexcept : result_{result}, number_{number} {}

  /// The value of a column. Throws codec_error for NULL (read it as std::optional), another type, malformed bytes.
  /// In a result in text format (of run_script) only std::string can be read.
  template <class T>
  T get(std::size_t column) const {
    const oid column_type = type(column);
    return decode_field<T>(bytes(column), is_null(column), column_type);
  }

  bool is_null(std::size_t column) const;

  /// The bytes of a value as they came; empty for NULL. They live as long as the result.
  std::span<const std::byte> bytes(std::size_t column) const;

  /// As bytes(), for columns that hold text; nothing for NULL.
  std::optional<std::string_view> text(std::size_t column) const;

 private:
  oid type(std::size_t column) const;

  const pg_result* result_;
  int number_;
};

/// What a statement returned. Owns the rows; move-only.
class result {
 public:
  result() = default;

  /// Takes over what libpq has allocated.
  explicit result(pg_result* from_libpq) noexcept : result_{from_libpq} {}

  /// What libpq calls the result; still owned here.
  pg_result* native() const noexcept { return result_.get(); }

  /// The number of rows.
  std::size_t size() const noexcept;

  bool empty() const noexcept { return size() == 0; }

  std::size_t column_count() const noexcept;
  std::string_view column_name(std::size_t column) const;
  oid column_type(std::size_t column) const;

  /// Rows that an INSERT, UPDATE, DELETE, MERGE, COPY … has changed, or a SELECT has returned; 0 for other statements.
  std::uint64_t affected_rows() const noexcept;

  /// The command tag, e.g. "INSERT 0 1".
  std::string_view command() const noexcept;

  row operator[](std::size_t number) const;

  /// The one value of a result of one row. Throws codec_error when there is not exactly one row.
  template <class T>
  T value() const {
    return single_row().get<T>(0);
  }

  /// Throws codec_error when there is not exactly one row.
  row single_row() const;

  class iterator {
   public:
    using value_type = row;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;

    iterator(const pg_result* result, int number) noexcept : result_{result}, number_{number} {}

    row operator*() const noexcept { return {result_, number_}; }

    iterator& operator++() noexcept {
      ++number_;
      return *this;
    }

    iterator operator++(int) noexcept {
      iterator before = *this;
      ++number_;
      return before;
    }

    bool operator==(const iterator&) const = default;

   private:
    const pg_result* result_ = nullptr;
    int number_ = 0;
  };

  iterator begin() const noexcept { return {result_.get(), 0}; }

  iterator end() const noexcept { return {result_.get(), static_cast<int>(size())}; }

 private:
  struct clear {
    void operator()(pg_result* result) const noexcept;
  };

  std::unique_ptr<pg_result, clear> result_;
};

}  // namespace quern
