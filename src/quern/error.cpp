#include "quern/error.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "quern/sqlstate.hpp"

namespace quern {
namespace {

// Failures after which nothing of the work remains and whose reason passes.
constexpr std::array passing{
    sqlstate::serialization_failure, sqlstate::deadlock_detected,    sqlstate::lock_not_available, sqlstate::disk_full,
    sqlstate::out_of_memory,         sqlstate::too_many_connections, sqlstate::cannot_connect_now};

std::string as_lines(const failure& details) {
  std::string lines = details.message;
  if (!details.sqlstate.empty()) lines += " (SQLSTATE " + details.sqlstate + ")";
  if (!details.detail.empty()) lines += "\ndetail: " + details.detail;
  if (!details.hint.empty()) lines += "\nhint: " + details.hint;
  return lines;
}

failure only(std::string message) {
  failure details;
  details.message = std::move(message);
  return details;
}

}  // namespace

error::error(failure details)
    : std::runtime_error{as_lines(details)}, details_{std::make_shared<const failure>(std::move(details))} {}

bool error::is_retryable() const noexcept {
  if (outcome_unknown()) return false;
  return connection_lost() || std::ranges::find(passing, std::string_view{sqlstate()}) != passing.end();
}

codec_error::codec_error(std::string message) : error{only(std::move(message))} {}

void throw_failure(failure details) {
  if (details.is_connection_lost) throw connection_error{std::move(details)};
  if (details.sqlstate == sqlstate::contract_mismatch) throw contract_mismatch{std::move(details)};
  throw database_error{std::move(details)};
}

}  // namespace quern
