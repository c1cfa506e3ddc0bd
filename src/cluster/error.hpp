#pragma once

#include <stdexcept>

namespace cluster {

/// A private server could not be found, made, started or stopped; the text says what can be done about it.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace cluster
