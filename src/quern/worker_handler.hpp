#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <quern/json.hpp>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
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

/// What a handler of batches has returned. Throws std::length_error unless there is one for each of `count` messages:
/// nobody could say which the others are of.
template <class Result>
std::vector<std::optional<json>> one_of_each(std::vector<Result> given, std::size_t count) {
  if (given.size() != count)
    throw std::length_error{"the handler returned " + std::to_string(given.size()) + " results of " +
                            std::to_string(count) + " messages"};
  if constexpr (std::same_as<Result, std::optional<json>>) {
    return given;
  } else {
    std::vector<std::optional<json>> results;
    results.reserve(count);
    for (Result& each : given) results.emplace_back(std::in_place, std::move(each));
    return results;
  }
}

template <class Handler, class Message>
concept handler_of = kind_of_handler<Handler, Message>()
!= handler_kind::none;

}  // namespace quern
