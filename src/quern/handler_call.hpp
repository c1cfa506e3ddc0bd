#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <quern/json.hpp>
#include <quern/worker_handler.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace quern {

/// Calls a handler of any kind, and keeps what it has given back. Part of worker.
template <class Handler, class Message>
class handler_call {
 public:
  static constexpr handler_kind kind = kind_of_handler<Handler, Message>();
  static constexpr bool takes_batches = kind == handler_kind::batch || kind == handler_kind::batch_and_loss;
  static constexpr bool takes_loss = kind == handler_kind::message_and_loss || kind == handler_kind::batch_and_loss;
  static constexpr bool gives_results = quern::gives_results<Handler, Message>();

  explicit handler_call(Handler& handler) : handler_{&handler} {}

  /// With a message, or a batch of so many. Returns the text of what the handler has thrown, if it has. `loss` makes
  /// its stop token, and is not called for one that takes none.
  template <class Argument, class Loss>
  std::optional<std::string> call(const Argument& argument, std::size_t count, Loss loss) try {
    if constexpr (gives_results && takes_batches) {
      given_ = one_of_each(invoke(argument, loss), count);
    } else if constexpr (gives_results) {
      given_ = invoke(argument, loss);
    } else {
      invoke(argument, loss);
    }
    return std::nullopt;

  } catch (const std::exception& thrown) {
    return thrown.what();

  } catch (...) {
    return "an exception that is no std::exception";
  }

  /// The result of the last call, or those of its batch: once.
  auto given() { return std::exchange(given_, {}); }

 private:
  template <class Argument, class Loss>
  decltype(auto) invoke(const Argument& argument, Loss loss) {
    if constexpr (takes_loss)
      return (*handler_)(argument, loss());
    else
      return (*handler_)(argument);
  }

  Handler* handler_;
  std::conditional_t<takes_batches, std::vector<std::optional<json>>, std::optional<json>> given_;
};

}  // namespace quern
