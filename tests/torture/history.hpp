#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace torture {

/// Microseconds of a clock that all processes share and that nobody sets.
using micros = std::int64_t;

micros now();

/// What a line of a history says; its fields stand behind the time and this letter.
namespace mark {
inline constexpr char begun = 'B';        // tx: its first event is published after this
inline constexpr char intent = 'I';       // tx count: all of it is sent, the commit is asked for next
inline constexpr char committed = 'C';    // tx
inline constexpr char taken_back = 'R';   // tx: it certainly is not committed
inline constexpr char shown = 'D';        // offset tx place: an event that was read
inline constexpr char gone = 'G';         // after: the events after this offset were not kept any more
inline constexpr char asks = 'Q';         // messages are asked for next
inline constexpr char claimed = 'M';      // message attempt lease_until tx place, and the key that it is ordered by
inline constexpr char may_end = 'N';      // message attempt: the claim is given up, extended or shortened next
inline constexpr char extended = 'X';     // message attempt lease_until
inline constexpr char held = 'H';         // message attempt time: nobody else had it then, as the library says
inline constexpr char asks_to_end = 'K';  // message attempt: it is acknowledged next
inline constexpr char ended = 'A';        // message attempt: the acknowledgement is committed
inline constexpr char session = 'S';      // a worker has a new session: the one that it had may have gone long before
inline constexpr char error = 'E';        // sqlstate is_lost is_unknown words
inline constexpr char violation = 'V';    // words
}  // namespace mark

/// What one process writes down before and after each thing that it does. A line is with the system, and so outlives a
/// SIGKILL, when its call has returned.
class history {
 public:
  /// Appends to the file. Throws std::system_error.
  explicit history(const std::filesystem::path& file);
  history(const history&) = delete;
  history& operator=(const history&) = delete;
  ~history();

  template <class... Fields>
  void note(char what, const Fields&... fields) {
    add(what, fields...);
    flush();
  }

  /// A line that is written with the next flush().
  template <class... Fields>
  void add(char what, const Fields&... fields) {
    fmt::format_to(std::back_inserter(lines_), "{} {}", now(), what);
    (fmt::format_to(std::back_inserter(lines_), " {}", fields), ...);
    lines_ += '\n';
  }

  void flush();

 private:
  int file_;
  std::string lines_;
};

}  // namespace torture
