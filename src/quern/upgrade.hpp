#pragma once

#include <optional>
#include <type_traits>
#include <vector>

namespace quern {

namespace detail {

template <class T>
struct upgrading {
  template <class From>
  static T from(const From& value) {
    return static_cast<T>(value);
  }
};

template <class T>
struct upgrading<std::optional<T>> {
  static std::optional<T> from(const T& value) { return value; }

  template <class From>
  static std::optional<T> from(const std::optional<From>& value) {
    if (!value) return std::nullopt;
    return upgrading<T>::from(*value);
  }

  template <class From>
  static std::optional<T> from(const From& value) {
    return upgrading<T>::from(value);
  }
};

template <class T>
struct upgrading<std::vector<T>> {
  template <class From>
  static std::vector<T> from(const std::vector<From>& values) {
    std::vector<T> result;
    result.reserve(values.size());
    for (const From& value : values) result.push_back(upgrading<T>::from(value));
    return result;
  }
};

}  // namespace detail

/// A value of an older contract as one of a newer one: what may be left out, and arrays, keep their values; numbers get
/// wider. For generated code.
template <class To, class From>
To upgraded(const From& value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else {
    return detail::upgrading<To>::from(value);
  }
}

}  // namespace quern
