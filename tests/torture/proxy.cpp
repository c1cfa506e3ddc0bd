#include "proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <list>
#include <new>
#include <random>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace torture {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t most_waiting = 64 * 1024;

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

/// Where the server listens.
std::string socket_of(const std::string& url) {
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), nullptr);
  if (options == nullptr) throw std::runtime_error{"the server's URI cannot be read"};
  std::string host;
  std::string port;
  for (const PQconninfoOption* each = options; each->keyword != nullptr; ++each) {
    if (each->val == nullptr) continue;
    if (std::string_view{each->keyword} == "host") host = each->val;
    if (std::string_view{each->keyword} == "port") port = each->val;
  }
  PQconninfoFree(options);
  return fmt::format("{}/.s.PGSQL.{}", host, port);
}

/// One direction of a connection.
struct way {
  int from = -1;
  int to = -1;
  std::string waiting{};
  bool is_ended = false;
  bool is_to_be_cut = false;

  bool takes_more() const { return !is_ended && waiting.size() < most_waiting; }
};

struct link {
  way question;
  way answer;
  steady::time_point stalled_until{};
  bool resets_after_stall = false;

  bool is_stalled() const { return stalled_until > steady::now(); }
};

class switchboard {
 public:
  switchboard(int listener, int commands, std::string server, proxy::counters& counts, std::uint64_t seed)
      : listener_{listener}, commands_{commands}, server_{std::move(server)}, counts_{&counts}, random_{seed} {}

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> wanted{{listener_, POLLIN, 0}, {commands_, POLLIN, 0}};
      for (const link& each : links_) want(each, wanted);
      poll(wanted.data(), wanted.size(), 20);
      if (wanted[1].revents != 0) obey();
      for (auto each = links_.begin(); each != links_.end();) each = serve(*each) ? std::next(each) : close_link(each);
      if (wanted[0].revents != 0) accept_one();
    }
  }

 private:
  using position = std::list<link>::iterator;

  static void want(const link& of, std::vector<pollfd>& wanted) {
    if (of.is_stalled()) return;
    for (const way* each : {&of.question, &of.answer}) {
      if (each->takes_more()) wanted.push_back({each->from, POLLIN, 0});
      if (!each->waiting.empty()) wanted.push_back({each->to, POLLOUT, 0});
    }
  }

  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int at_once = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    server_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    if (server < 0 || connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      if (server >= 0) close(server);
      close(client);
      return;
    }
    fcntl(server, F_SETFL, O_NONBLOCK);
    links_.push_back({{client, server}, {server, client}});
  }

  /// False when it is over.
  bool serve(link& each) {
    if (each.is_stalled()) return true;
    if (each.resets_after_stall) return reset(each);
    for (way* side : {&each.answer, &each.question}) {
      if (!receive(*side) && side->waiting.empty()) return false;
      if (side->is_to_be_cut && !side->waiting.empty()) {
        side->waiting.resize(static_cast<std::size_t>(between(0, static_cast<int>(side->waiting.size()) - 1)));
        send_on(*side);
        return reset(each);
      }
      if (!send_on(*side)) return false;
    }
    return true;
  }

  /// False when there is nothing more to come.
  static bool receive(way& side) {
    std::array<char, 16 * 1024> part{};
    while (side.takes_more()) {
      const auto count = recv(side.from, part.data(), part.size(), MSG_DONTWAIT);
      if (count < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      }
      if (count <= 0) side.is_ended = true;
      if (count > 0) side.waiting.append(part.data(), static_cast<std::size_t>(count));
    }
    return !side.is_ended;
  }

  /// False when nobody is there any more.
  static bool send_on(way& side) {
    while (!side.waiting.empty()) {
      const auto count = send(side.to, side.waiting.data(), side.waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
      side.waiting.erase(0, static_cast<std::size_t>(count));
    }
    return true;
  }

  /// The client sees that it was cut, not that the other side has ended.
  bool reset(link& each) {
    const linger none{1, 0};
    setsockopt(each.question.from, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    ++counts_->resets;
    return false;
  }

  position close_link(position which) {
    close(which->question.from);
    close(which->question.to);
    return links_.erase(which);
  }

  void obey() {
    char command = 0;
    if (read(commands_, &command, 1) != 1) _exit(0);
    if (links_.empty()) return;
    const auto which = std::next(links_.begin(), between(0, static_cast<int>(links_.size()) - 1));
    switch (cut{command}) {
      case cut::now:
        reset(*which);
        close_link(which);
        break;
      case cut::in_question:
        which->question.is_to_be_cut = true;
        break;
      case cut::in_answer:
        which->answer.is_to_be_cut = true;
        break;
      case cut::stall:
        which->stalled_until = steady::now() + std::chrono::milliseconds{between(200, 4000)};
        which->resets_after_stall = between(0, 1) == 0;
        ++counts_->stalls;
    }
  }

  int between(int least, int most) { return std::uniform_int_distribution{least, most}(random_); }

  int listener_;
  int commands_;
  std::string server_;
  proxy::counters* counts_;
  std::mt19937_64 random_;
  std::list<link> links_;
};

int listen_on_loopback(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0) fail("bind");
  if (listen(listener, 512) != 0) fail("listen");
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

proxy::proxy(const std::string& server, std::uint64_t seed) {
  const std::string socket_file = socket_of(server);
  int port = 0;
  const int listener = listen_on_loopback(port);
  url_ = fmt::format("postgresql:///postgres?host=127.0.0.1&port={}&user=postgres&sslmode=disable&gssencmode=disable",
                     port);
  void* const shared = mmap(nullptr, sizeof(counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("mmap");
  counts_ = new (shared) counters{};
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ < 0) fail("fork");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    for (const int request : {SIGINT, SIGTERM, SIGHUP}) std::signal(request, SIG_IGN);
    close(ends[1]);
    switchboard{listener, ends[0], socket_file, *counts_, seed}.run();
  }
  close(listener);
  close(ends[0]);
  commands_ = ends[1];
}

proxy::~proxy() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  close(commands_);
  munmap(counts_, sizeof(counters));
}

void proxy::disturb(cut how) const {
  const auto command = static_cast<char>(how);
  if (write(commands_, &command, 1) != 1) fail("the proxy does not answer");
}

}  // namespace torture
