#include "cluster/place.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <cstdint>
#include <string_view>

#include "cluster/error.hpp"

namespace cluster {
namespace {

namespace fs = std::filesystem;

// FNV-1a: the name has to be short and the same tomorrow, not hard to guess; who owns the directory is checked.
std::string short_name(const fs::path& directory) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : directory.string()) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return fmt::format("quern-{:016x}", hash);
}

// libpq takes a comma for the end of a host's name.
bool fits_socket(const fs::path& directory) {
  return directory.string().find(',') == std::string::npos &&
         (directory / ".s.PGSQL.5432.lock").string().size() < sizeof(sockaddr_un::sun_path);
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '_' || c == '.' || c == '~' || c == '/';
    encoded += is_plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

place locate(const account& owner, const fs::path& directory) {
  const fs::path absolute = fs::canonical(directory);
  place where{.directory = absolute, .data = absolute / "data", .socket = absolute / "socket", .log = absolute / "log"};
  if (!can_enter(owner, absolute)) {
    where.is_data_elsewhere = true;
    where.data = fs::path{"/var/tmp"} / short_name(absolute) / "data";
  }
  if (where.is_data_elsewhere || !fits_socket(where.socket)) where.socket = fs::path{"/tmp"} / short_name(absolute);
  return where;
}

std::string url_of(const place& where) {
  return fmt::format("postgresql:///postgres?host={}&port=5432&user=postgres", percent_encoded(where.socket.string()));
}

}  // namespace cluster
