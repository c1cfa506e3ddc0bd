#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <quern/json.hpp>
#include <stop_token>
#include <string_view>

namespace quern {

class error;

/// What has become of a message of a queue that keeps handled ones (`keep_done` in the declaration).
enum class result_state {
  pending,  // it waits, for another attempt too, or is being handled
  done,     // it was handled
  dead,     // it ran out of attempts
  unknown   // it was cancelled, purged or dropped, is not kept any more, or never was
};

/// From the word that the database returns. Throws codec_error for a word that is none of them.
result_state result_state_of(std::string_view word);

/// "pending", "done", "dead" or "unknown".
std::string_view to_text(result_state state) noexcept;

/// Whether an acknowledgement was refused for the result that it gives: no JSON, no UTF-8, nested too deep or too
/// large.
bool is_bad_result(const error& refused) noexcept;

struct message_result {
  result_state state = result_state::unknown;
  /// What the consumer gave back; nothing unless it is done, and when it gave nothing back.
  std::optional<json> value;

  bool operator==(const message_result&) const = default;
};

/// A contract whose queue keeps handled messages and their results.
template <class T>
concept contract_with_results = contract<T> && requires {
  { T::done_channel } -> std::convertible_to<std::string_view>;
  { T::ack_results } -> std::convertible_to<prepared>;
  { T::result } -> std::convertible_to<prepared>;
  { T::await } -> std::convertible_to<prepared>;
  { T::await_end } -> std::convertible_to<prepared>;
};

/// What a wait for a result needs of a contract.
struct result_statements {
  const prepared* result;
  const prepared* await;
  const prepared* await_end;
  std::string_view channel;
};

template <contract_with_results Contract>
inline constexpr result_statements result_statements_of{&Contract::result, &Contract::await, &Contract::await_end,
                                                        Contract::done_channel};

/// How long a wait relies on notifications alone: what is cancelled, purged or dropped is noticed after so long.
inline constexpr std::chrono::milliseconds look_for_result_every{1000};

/// Part of producer.
message_result look_for_result(connection& on, const result_statements& by, std::int64_t message_id);
message_result wait_for_result(connection& on, const result_statements& by, std::int64_t message_id, deadline until,
                               const std::stop_token& stop,
                               std::chrono::milliseconds look_every = look_for_result_every);

}  // namespace quern
