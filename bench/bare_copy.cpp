#include "bare_copy.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace bench {

void copy_encoded(quern::connection& db, const std::string& copy, const quern::wire::writer& encoded) {
  constexpr std::size_t part = 65'536;
  PGconn* const handle = db.native();
  PQclear(PQexec(handle, copy.c_str()));
  for (std::size_t sent = 0; sent < encoded.size(); sent += part)
    PQputCopyData(handle, encoded.data() + sent, static_cast<int>(std::min(part, encoded.size() - sent)));
  PQputCopyEnd(handle, nullptr);
  PGresult* const result = PQgetResult(handle);
  const bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  if (!is_done) throw std::runtime_error{fmt::format("the bare COPY failed: {}", PQerrorMessage(handle))};
  PQclear(PQgetResult(handle));
}

}  // namespace bench
