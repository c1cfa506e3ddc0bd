#pragma once

#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"

/// What the commands that operate queues and streams have in common. They need a database and the name of a schema;
/// which queues there are is read from its catalog, which every role may read.
namespace cli {

/// Where the queues are.
struct operated_place {
  std::optional<std::string> database{};
  std::optional<std::string> schema{};
};

/// --database and --schema; `where` must outlive the command.
void add_operated(const command_line& command, operated_place& where);

/// A connection, and the schema on it.
struct operated_schema {
  quern::connection db;
  std::string name;
  std::string url;
};

/// The schema is the given one, else that of quern.toml in the current directory, else the only one of the database
/// that has queues. Throws failure.
operated_schema open_schema(const operated_place& where, std::string_view application_name);

/// A queue or a stream as the database has it.
struct operated_queue {
  std::string schema;
  std::string name;  // which its functions bear
  std::string line;  // which its tables bear: the first name that it had
  bool is_stream = false;
  bool is_log = false;
  bool is_permitted = false;  // to be operated by this role

  /// `shop.email_ack`.
  std::string function(std::string_view verb) const;

  /// `shop.email_dead`.
  std::string table(std::string_view noun) const;

  /// `queue email`, `stream activity`.
  std::string title() const;
};

/// All of them by name; of one with several names the newest.
std::vector<operated_queue> all_queues(operated_schema& in);

/// Throws failure with a suggestion.
operated_queue find_queue(operated_schema& in, const std::string& name);

/// A queue, a stream, or `stream/consumer`.
struct operated_target {
  operated_queue queue;
  std::string consumer{};

  std::string title() const;
};

operated_target find_target(operated_schema& in, const std::string& name);

/// Fails where a stream is named without the consumer that is meant.
void expect_consumer(const operated_target& target);

/// Whether a queue or stream has the function.
bool has_function(operated_schema& in, const operated_queue& of, std::string_view verb);

/// Fails unless the queue can have dead letters, whose function `verb` is.
void expect_dead_letters(operated_schema& in, const operated_queue& of, std::string_view verb);

/// Fails unless the queue keeps results of what was handled.
void expect_results(operated_schema& in, const operated_queue& of);

/// Whether a message cannot be deleted because it waits in a log; others can be.
bool is_kept_in_log(const quern::error& refused);

/// Whether the role lacks a right, or the server is read-only.
bool is_not_permitted(const quern::error& refused);

/// The code that tells of a refusal.
exit_code code_of(const quern::error& refused);

/// As on_call(); what the database refuses becomes a failure with its words.
template <class Run>
void on_operation(const command_line& command, exit_code& result, Run run) {
  on_call(command, result, [run = std::move(run)] {
    try {
      return run();
    } catch (const quern::error& refused) {
      throw failure{code_of(refused), refused.what()};
    }
  });
}

/// Microseconds of `30s`. Throws failure.
std::int64_t parse_length(std::string_view option, const std::string& written);

/// Throws failure unless all are whole numbers.
std::vector<std::int64_t> parse_ids(const std::vector<std::string>& written);

/// Whether somebody at the terminal says yes, or --yes was given. Throws failure where there is nobody to ask.
bool is_confirmed(bool is_yes, const std::string& question);

}  // namespace cli
