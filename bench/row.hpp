#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measure.hpp"

namespace bench {

/// What a row has to reach.
struct goal {
  double value = 0;
  bool is_upper = false;  // it must not be exceeded
  std::string unit{};

  bool is_met_by(double reached) const { return is_upper ? reached <= value : reached >= value; }

  bool operator==(const goal&) const = default;
};

/// A line of the table.
struct row {
  std::string what;        // what quern did
  std::string limit;       // what it is held against
  std::string with_quern;  // absolute, with units
  std::string without;
  double ratio = 0;
  std::string spread{};       // the middle half of the rounds' ratios
  std::string server_time{};  // of the processor, for a message, in microseconds, with and without quern
  std::string client_time{};  // the same of the clients
  std::optional<goal> aim{};
  double reached = 0;  // what the aim is compared with

  bool operator==(const row&) const = default;
};

/// A row of two sides that count messages; what is to be reached is the ratio.
row message_row(std::string what, std::string limit, const comparison& measured, std::optional<double> at_least = {});

/// For people: aligned columns with a head.
std::string as_table(const std::vector<row>& rows);

/// For machines: an array of objects.
std::string as_json(const std::vector<row>& rows);

}  // namespace bench
