#pragma once

#include <array>
#include <string>
#include <string_view>

namespace contract {

/// The 32 bytes of SHA-256.
std::array<unsigned char, 32> sha256_bytes(std::string_view text);

/// SHA-256 as 64 lower-case hex digits.
std::string sha256(std::string_view text);

/// SHA-256 of the text with every CRLF taken as LF: the same for every checkout of a file.
std::string checksum(std::string_view text);

}  // namespace contract
