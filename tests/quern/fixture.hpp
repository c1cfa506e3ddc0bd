#pragma once

#include <quern/quern.hpp>
#include <string>

#include "support/database.hpp"

namespace test {

/// A connection to a database of its own.
struct session {
  database place;
  quern::connection db{place.url()};

  quern::connection another() const { return quern::connection{place.url()}; }
};

/// The failure that `action` throws as an `Error`; fails the test when it throws none.
template <class Error, class Action>
Error failure_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error{"nothing was thrown"};
}

}  // namespace test
