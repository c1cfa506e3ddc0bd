#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace torture {

/// How a connection through the proxy is disturbed.
enum class cut : char {
  now = 'n',          // both ends are reset
  in_question = 'q',  // the server gets a part of the next message
  in_answer = 'a',    // the server's next answer arrives in part, or not at all
  stall = 's'         // nothing arrives for a while; then all of it, or the connection is reset
};

/// A process between clients and the server, by TCP on the loopback, that cuts connections. It ends with this object,
/// or with this process.
class proxy {
 public:
  /// `server` is the URI of a server on a Unix socket. Throws std::system_error.
  proxy(const std::string& server, std::uint64_t seed);
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;
  ~proxy();

  /// The server's, by way of the proxy.
  const std::string& url() const { return url_; }

  /// Of some connection, if there is one.
  void disturb(cut how) const;

  /// How many have been reset, and stalled.
  int resets() const { return counts_->resets; }
  int stalls() const { return counts_->stalls; }

  struct counters {
    std::atomic<int> resets;
    std::atomic<int> stalls;
  };

 private:
  std::string url_;
  counters* counts_ = nullptr;  // shared with the process
  int commands_ = -1;
  pid_t process_ = 0;
};

}  // namespace torture
