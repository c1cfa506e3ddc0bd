#pragma once

#include <array>
#include <string_view>

namespace cli {

/// What the program's end tells a script.
enum class exit_code : int {
  done = 0,
  input_wrong = 1,
  usage = 2,
  unreachable = 3,
  migration_failed = 4,
  gave_up_waiting = 5,
  history_mismatch = 6,
  database_ahead = 7,
  not_permitted = 8,
  still_in_use = 9,
  refused = 10,
  not_handled = 11,
  internal_error = 70,
};

struct exit_code_meaning {
  exit_code code;
  std::string_view meaning;
};

/// The one table; `--help` prints it.
inline constexpr std::array<exit_code_meaning, 13> exit_code_meanings{{
    {exit_code::done, "done"},
    {exit_code::input_wrong, "the input is wrong, output cannot be written, or a check found a difference"},
    {exit_code::usage, "the command line is wrong"},
    {exit_code::unreachable, "the database cannot be reached, or a private server is not running or cannot be started"},
    {exit_code::migration_failed, "a step of a migration failed; nothing of that step remains"},
    {exit_code::gave_up_waiting, "gave up waiting for a lock, for another runner or for a result"},
    {exit_code::history_mismatch, "an applied migration is edited, missing or out of order"},
    {exit_code::database_ahead, "the database has migrations that the directory does not have"},
    {exit_code::not_permitted, "the server is read-only, or the user lacks a right or a role"},
    {exit_code::still_in_use, "clients or messages still depend on what was to be taken away"},
    {exit_code::refused, "the database refused what was asked of a queue or a stream; its words are on standard error"},
    {exit_code::not_handled, "the message that was waited for is dead, or was cancelled, purged or dropped"},
    {exit_code::internal_error, "a defect of quern"},
}};

}  // namespace cli
