#include "quern/socket.hpp"

#include <libpq-fe.h>

namespace quern {

int socket_of(const connection& one) noexcept {
  return PQsocket(one.native());
}

}  // namespace quern
