#pragma once

#include <cstddef>
#include <cstdint>
#include <quern/codec.hpp>
#include <span>
#include <vector>

namespace quern {

/// Encoded parameters of one statement, or of a run of executions of the same statement. Reused: after the first few
/// values nothing is allocated any more.
class parameters {
 public:
  /// Throws codec_error for a value that PostgreSQL cannot hold: then only clear() makes sense.
  template <class T>
  void add(const T& value) {
    const std::size_t start = out_.size();
    if constexpr (is_optional<T>) {
      if (!value) return put(codec<T>::type, start, -1);
      codec<typename T::value_type>::encode(out_, *value);
    } else {
      codec<T>::encode(out_, value);
    }
    put(codec<T>::type, start, static_cast<int>(out_.size() - start));
  }

  std::size_t size() const noexcept { return fields_.size(); }

  void clear() noexcept;

  /// For enums, see enum_types. `types` must outlive the parameters' use.
  void use(const enum_types& types) noexcept { out_.types = &types; }

  /// What libpq takes, in its own shape. It is valid until the next call of any member that is not const.
  struct bound {
    int count;
    const oid* types;
    const char* const* values;
    const int* lengths;
    const int* formats;
  };

  /// `count` parameters from `first` on. Throws codec_error when together they exceed what a message can hold.
  bound bind(std::size_t first, std::size_t count);

  bound bind() { return bind(0, size()); }

 private:
  struct field {
    std::size_t start;
    int length;
  };

  void put(oid type, std::size_t start, int length) {
    types_.push_back(type);
    fields_.push_back({start, length});
  }

  wire::writer out_;
  std::vector<oid> types_;
  std::vector<field> fields_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace quern
