#pragma once

#include <quern/connection.hpp>
#include <quern/contract.hpp>
#include <string>
#include <vector>

#include "crew.hpp"
#include "interrupt.hpp"
#include "measure.hpp"
#include "processor_time.hpp"

namespace bench {

/// Payloads of contract version 1 in COPY's binary format (signature, flags, length of the header's extension; then the
/// rows; then -1).
template <class Contract>
quern::wire::writer encoded_rows(const std::vector<typename Contract::payload_type>& payloads) {
  quern::wire::writer out;
  out.put_bytes("PGCOPY\n\377\r\n\0", 11);
  out.put(std::uint32_t{0});
  out.put(std::uint32_t{0});
  for (const auto& each : payloads) {
    out.put(static_cast<std::uint16_t>(quern::field_count<Contract>() + 1));
    quern::encode_field(out, std::int16_t{1});
    quern::for_each_field<Contract>(each, [&](const auto& field) { quern::encode_field(out, field); });
  }
  out.put(std::uint16_t{0xffff});
  return out;
}

/// Sends them with the given COPY, as directly as libpq can.
void copy_encoded(quern::connection& db, const std::string& copy, const quern::wire::writer& encoded);

/// What it takes to do something with `count` messages on a connection.
template <class Work>
measure timed(quern::connection& db, std::size_t count, Work work) {
  check_interrupt();
  const double before = processor_seconds({db.backend_pid()});
  const auto begin = clock::now();
  work();
  const std::chrono::duration<double> taken = clock::now() - begin;
  return {.count = count, .seconds = taken.count(), .server_seconds = processor_seconds({db.backend_pid()}) - before};
}

}  // namespace bench
