#pragma once

#include <cstdint>
#include <quern/connection.hpp>
#include <string_view>

namespace quern {

/// A COPY … FROM STDIN (FORMAT BINARY): rows go to the server while they are made, in bounded memory.
/// Without finish() nothing of it stays, and a transaction around it has failed. The connection must outlive it and
/// does nothing else meanwhile.
class copy_in {
 public:
  /// `statement` is the COPY. Throws as connection::execute().
  copy_in(connection& on, std::string_view statement);
  copy_in(const copy_in&) = delete;
  copy_in& operator=(const copy_in&) = delete;
  ~copy_in();

  /// Adds a row. Throws codec_error for a value that PostgreSQL cannot hold, connection_error when the connection is
  /// lost. A row that the server refuses is reported by finish().
  template <class... Fields>
  void add(const Fields&... fields) {
    begin_row(sizeof...(fields));
    (add_field(fields), ...);
    end_row();
  }

  /// The same by hand: begin_row(), add_field() for each, end_row().
  void begin_row(std::size_t field_count) { out_.put(static_cast<std::uint16_t>(field_count)); }

  template <class T>
  void add_field(const T& value) {
    encode_field(out_, value);
  }

  void end_row() {
    if (out_.size() >= flush_size) flush();
  }

  /// Ends the COPY and returns the number of rows that it has brought in. Throws as connection::execute().
  std::uint64_t finish();

 private:
  static constexpr std::size_t flush_size = 65'536;

  void flush();
  [[noreturn]] void fail();
  void abandon() noexcept;

  session* session_;
  std::string_view statement_;
  wire::writer out_;
  bool is_open_ = true;
  bool commits_by_itself_;
};

}  // namespace quern
