#include "contract/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace contract {

std::array<unsigned char, 32> sha256_bytes(std::string_view text) {
  // Fetched once: looking the algorithm up for each call costs more than hashing a short text.
  static const EVP_MD* algorithm = EVP_sha256();
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr) != 1 || size != digest.size()) {
    throw std::runtime_error{"libcrypto cannot compute SHA-256; is it running in a restricted mode?"};
  }
  return digest;
}

std::string sha256(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  result.reserve(64);
  for (const auto byte : sha256_bytes(text)) {
    result += digits[byte >> 4U];
    result += digits[byte & 15U];
  }
  return result;
}

std::string checksum(std::string_view text) {
  if (text.find("\r\n") == std::string_view::npos) return sha256(text);
  std::string normal;
  normal.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') normal += text[i];
  }
  return sha256(normal);
}

}  // namespace contract
