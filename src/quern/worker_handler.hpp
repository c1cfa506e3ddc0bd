#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <quern/json.hpp>
#include <span>
#include <stop_token>
#include <type_traits>
#include <vector>

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

/// What the handler returns, as std::type_identity; void for one that takes neither.
template <class Handler, class Message>
consteval auto returned_by() {
  constexpr auto kind = kind_of_handler<Handler, Message>();
  if constexpr (kind == handler_kind::message_and_loss)
    return std::type_identity<std::invoke_result_t<Handler&, const Message&, std::stop_token>>{};
  else if constexpr (kind == handler_kind::message)
    return std::type_identity<std::invoke_result_t<Handler&, const Message&>>{};
  else if constexpr (kind == handler_kind::batch_and_loss)
    return std::type_identity<std::invoke_result_t<Handler&, std::span<const Message>, std::stop_token>>{};
  else if constexpr (kind == handler_kind::batch)
    return std::type_identity<std::invoke_result_t<Handler&, std::span<const Message>>>{};
  else
    return std::type_identity<void>{};
}

/// Whether that are results: of a message a json, or perhaps one; of a batch a vector of either.
template <class Handler, class Message>
consteval bool gives_results() {
  using returned = std::remove_cvref_t<typename decltype(returned_by<Handler, Message>())::type>;
  constexpr auto kind = kind_of_handler<Handler, Message>();
  if constexpr (kind == handler_kind::batch || kind == handler_kind::batch_and_loss)
    return std::same_as<returned, std::vector<json>> || std::same_as<returned, std::vector<std::optional<json>>>;
  else
    return !std::is_void_v<returned> && std::is_convertible_v<returned, std::optional<json>>;
}

template <class Handler, class Message>
concept handler_of = kind_of_handler<Handler, Message>()
!= handler_kind::none;

}  // namespace quern
