#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <quern/json.hpp>
#include <span>
#include <stop_token>
#include <type_traits>

namespace quern {

/// What a handler takes besides nothing else: a message or a batch, and whether it wants to hear of a loss.
enum class handler_kind { none, message, message_and_loss, batch, batch_and_loss };

/// The first that fits: a generic handler is given single messages.
template <class Handler, class Message>
consteval handler_kind kind_of_handler() {
  if constexpr (std::invocable<Handler&, const Message&, std::stop_token>)
    return handler_kind::message_and_loss;
  else if constexpr (std::invocable<Handler&, const Message&>)
    return handler_kind::message;
  else if constexpr (std::invocable<Handler&, std::span<const Message>, std::stop_token>)
    return handler_kind::batch_and_loss;
  else if constexpr (std::invocable<Handler&, std::span<const Message>>)
    return handler_kind::batch;
  else
    return handler_kind::none;
}

/// Whether what the handler returns for a message is its result: a json, or perhaps one.
template <class Handler, class Message>
consteval bool gives_results() {
  constexpr auto is_result = []<class Returned>(std::type_identity<Returned>) {
    return !std::is_void_v<Returned> && std::is_convertible_v<Returned, std::optional<json>>;
  };
  if constexpr (kind_of_handler<Handler, Message>() == handler_kind::message_and_loss)
    return is_result(std::type_identity<std::invoke_result_t<Handler&, const Message&, std::stop_token>>{});
  else if constexpr (kind_of_handler<Handler, Message>() == handler_kind::message)
    return is_result(std::type_identity<std::invoke_result_t<Handler&, const Message&>>{});
  else
    return false;
}

template <class Handler, class Message>
concept handler_of = kind_of_handler<Handler, Message>()
!= handler_kind::none;

}  // namespace quern
