#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <quern/connection.hpp>
#include <quern/enumeration.hpp>
#include <quern/error.hpp>
#include <quern/message.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace quern {

/// What generated code says of one version of a contract: names and statements, nothing that behaves.
/// `fields` are pointers to the payload's members in the order of the declaration; one without a schema has none, and
/// its payload is one column. The statements' parameters and columns are those of the SQL functions of that name, in
/// the order of their signatures, with the payload's fields in the order of `fields`.
template <class T>
concept payload_contract = requires {
  typename T::payload_type;
  { T::queue } -> std::convertible_to<std::string_view>;
  { T::version } -> std::convertible_to<std::int32_t>;
  { T::fingerprint } -> std::convertible_to<std::string_view>;
  { T::channel } -> std::convertible_to<std::string_view>;
  { T::wake_key } -> std::convertible_to<std::int64_t>;
  { T::handshake } -> std::convertible_to<prepared>;
  { T::worker_begin } -> std::convertible_to<prepared>;
  { T::worker_beat } -> std::convertible_to<prepared>;
  { T::copy } -> std::convertible_to<std::string_view>;
  { T::wake } -> std::convertible_to<prepared>;
  { T::ack } -> std::convertible_to<prepared>;
};

/// That of a queue.
template <class T>
concept contract = payload_contract<T> && requires {
  { T::enqueue } -> std::convertible_to<prepared>;
  { T::claim } -> std::convertible_to<prepared>;
  { T::take } -> std::convertible_to<prepared>;
  { T::ack_many } -> std::convertible_to<prepared>;
  { T::nack } -> std::convertible_to<prepared>;
  { T::extend } -> std::convertible_to<prepared>;
  { T::release } -> std::convertible_to<prepared>;
  { T::next_due } -> std::convertible_to<prepared>;
};

/// A contract of which enqueue says what was a duplicate: it returns an id, and whether it is that of another message.
template <class T>
concept contract_with_duplicates = contract<T> && requires {
  requires T::reports_duplicates;
};

/// A contract whose queue hands out only so many messages at once, or in a time.
template <class T>
concept contract_with_limits = contract<T> && requires {
  { T::held_back } -> std::convertible_to<prepared>;
};

/// That of a stream.
template <class T>
concept stream_contract = payload_contract<T> && requires {
  { T::publish } -> std::convertible_to<prepared>;
  { T::read } -> std::convertible_to<prepared>;
  { T::receive } -> std::convertible_to<prepared>;
  { T::seal } -> std::convertible_to<prepared>;
  { T::seek } -> std::convertible_to<prepared>;
  { T::claim } -> std::convertible_to<prepared>;
  { T::nack } -> std::convertible_to<prepared>;
  { T::extend } -> std::convertible_to<prepared>;
  { T::release } -> std::convertible_to<prepared>;
  { T::next_due } -> std::convertible_to<prepared>;
  { T::looked_up_to } -> std::convertible_to<prepared>;
  { T::held } -> std::convertible_to<prepared>;
  { T::enlist } -> std::convertible_to<prepared>;
  { T::maintain } -> std::convertible_to<prepared>;
};

template <class T>
concept contract_with_fields = payload_contract<T> && requires {
  T::fields;
};

/// A contract whose messages have one of `priorities` priorities, 0 first.
template <class T>
concept contract_with_priorities = contract<T> && requires {
  { T::priorities } -> std::convertible_to<std::int32_t>;
};

/// A contract whose messages may have headers: a JSON object besides the payload.
template <class T>
concept contract_with_headers = contract<T> && requires {
  requires T::has_headers;
};

/// The number of columns of the payload.
template <payload_contract Contract>
constexpr std::size_t field_count() {
  if constexpr (contract_with_fields<Contract>) {
    return std::tuple_size_v<std::remove_cvref_t<decltype(Contract::fields)>>;
  } else {
    return 1;
  }
}

/// Calls `visit` with each field of the payload, which may be const or not, in the order of the columns.
template <payload_contract Contract, class Payload, class Visitor>
constexpr void for_each_field(Payload& payload, Visitor&& visit) {
  if constexpr (contract_with_fields<Contract>) {
    std::apply([&](const auto... member) { (visit(payload.*member), ...); }, Contract::fields);
  } else {
    visit(payload);
  }
}

namespace detail {

template <contract Contract, class Payload>
auto message_kind() {
  if constexpr (contract_with_priorities<Contract> && contract_with_headers<Contract>) {
    return prioritised_message_with_headers<Payload>{};
  } else if constexpr (contract_with_priorities<Contract>) {
    return prioritised_message<Payload>{};
  } else if constexpr (contract_with_headers<Contract>) {
    return message_with_headers<Payload>{};
  } else {
    return message<Payload>{};
  }
}

}  // namespace detail

/// What a consumer of the contract gets.
template <contract Contract>
using message_of = decltype(detail::message_kind<Contract, typename Contract::payload_type>());

/// Reads the payload from the columns of a row from `first` on. Throws codec_error.
template <payload_contract Contract>
typename Contract::payload_type decode_payload(const row& from, std::size_t first) {
  typename Contract::payload_type payload;
  for_each_field<Contract>(payload,
                           [&](auto& field) { field = from.get<std::remove_cvref_t<decltype(field)>>(first++); });
  return payload;
}

/// Does what may throw a codec_error, which then says what could not be read: "event 17 cannot be read: …".
template <class Decode>
auto naming_unreadable(std::string_view what, std::int64_t number, Decode decode) try {
  return decode();

} catch (const codec_error& error) {
  throw codec_error{std::string{what} + " " + std::to_string(number) + " cannot be read: " + error.message()};
}

/// Asks the database whether it has this contract; throws contract_mismatch when it has another or none.
void check_contract(connection& on, const prepared& handshake, std::string_view queue, std::int32_t version,
                    std::string_view fingerprint);

namespace detail {

template <class Field>
void resolve_enum_of(connection&, const Field*) {}

template <declared_enum Enum>
void resolve_enum_of(connection& on, const std::vector<Enum>*) {
  on.resolve_enum(enumeration<Enum>::type);
}

template <declared_enum Enum>
void resolve_enum_of(connection& on, const std::vector<std::optional<Enum>>*) {
  on.resolve_enum(enumeration<Enum>::type);
}

template <class Field>
void resolve_enum_of(connection& on, const std::optional<Field>*) {
  resolve_enum_of(on, static_cast<const Field*>(nullptr));
}

}  // namespace detail

/// What a producer and a consumer do at their construction: checks the contract and looks up the numbers of the enums
/// that stand in arrays. Throws contract_mismatch, and as connection::execute().
template <payload_contract Contract>
void shake_hands(connection& on) {
  check_contract(on, Contract::handshake, Contract::queue, Contract::version, Contract::fingerprint);
  if constexpr (contract_with_fields<Contract>) {
    using payload_type = typename Contract::payload_type;
    const auto resolve = [&]<class Field>(Field payload_type::*) {
      detail::resolve_enum_of(on, static_cast<const Field*>(nullptr));
    };
    std::apply([&](const auto... member) { (resolve(member), ...); }, Contract::fields);
  }
}

}  // namespace quern
