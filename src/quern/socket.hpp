#pragma once

#include <quern/connection.hpp>

namespace quern {

/// The descriptor of a connection, for a program that waits for several things with poll(2): readable when the server
/// has sent something, of which connection::wait_for_notification() then tells without waiting. Another one after a
/// connection was made again; -1 when it is lost.
int socket_of(const connection& one) noexcept;

}  // namespace quern
