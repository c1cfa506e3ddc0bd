#include "quern/parameters.hpp"

#include <string>

#include "quern/error.hpp"

namespace quern {
namespace {

// A large value must not be held for the rest of a connection's life.
constexpr std::size_t kept_bytes = std::size_t{4} << 20;
constexpr int is_binary = 1;

}  // namespace

void parameters::clear() noexcept {
  out_.clear_beyond(kept_bytes);
  types_.clear();
  fields_.clear();
}

parameters::bound parameters::bind(std::size_t first, std::size_t count) {
  if (count > 65535) throw codec_error{"a statement takes at most 65535 parameters, not " + std::to_string(count)};
  values_.resize(count);
  lengths_.resize(count);
  formats_.resize(count, is_binary);
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const field& each = fields_[first + i];
    // An empty value of an empty buffer must not look like NULL.
    values_[i] = each.length < 0 ? nullptr : each.length == 0 ? "" : out_.data() + each.start;
    lengths_[i] = each.length;
    total += each.length > 0 ? static_cast<std::size_t>(each.length) : 0;
  }
  wire::expect_size(total);
  return {static_cast<int>(count), types_.data() + first, values_.data(), lengths_.data(), formats_.data()};
}

}  // namespace quern
