#include "play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "cluster/scratch.hpp"
#include "depth.hpp"
#include "disk.hpp"
#include "drain.hpp"
#include "faults.hpp"
#include "install.hpp"
#include "proxy.hpp"
#include "queue_check.hpp"
#include "records.hpp"
#include "stream_check.hpp"
#include "troupe.hpp"

namespace torture {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

volatile std::sig_atomic_t is_interrupted = 0;

/// Tables whose rows only ever come, and go by TRUNCATE. Of two acknowledgements of a batch at the same instant the one
/// that loses takes its row back, which counts as deleted.
constexpr const char* changed_rows = R"(
  select coalesce(string_agg(format('%s: %s updated, %s deleted', relname, n_tup_upd, n_tup_del), '; '), '')
  from pg_stat_user_tables
  where relname ~ '^(activity|brief)_(event|page|position|claim)'
    and (n_tup_upd > 0 or n_tup_del > 0 and relname !~ '_position$')
)";

/// Looks at the server from time to time while it is killed under it.
class onlooker {
 public:
  onlooker(std::string url, const plan& how, report& into) : url_{std::move(url)}, how_{&how}, into_{&into} {}

  void step(seconds passed, const harm& done) {
    if (passed == last_) return;
    last_ = passed;
    try {
      if (!db_) db_.emplace(url_, quern::connection_options{.application_name = "torture-onlooker"});
      look();
    } catch (const quern::error& failed) {
      if (!failed.connection_lost() && failed.sqlstate() != "53100") throw;
      db_.reset();
    }
    if (how_->is_terminal)
      fmt::print(stderr, "\r{:>4} of {} s | {:>8} and {:>8} events | {} processes and {} sessions killed, {} crashes ",
                 passed.count(), how_->seconds, events_, brief_events_, done.kills, done.terminated,
                 done.crashes + done.dead_backends);
  }

  void look() {
    const auto changed = db_->execute(changed_rows).value<std::string>();
    if (!changed.empty()) into_->violation("I4", "{}", changed);
    events_ = db_->execute("select last_offset from torture.activity_stats()").value<std::int64_t>();
    brief_events_ = db_->execute("select last_offset from torture.brief_stats()").value<std::int64_t>();
  }

 private:
  std::string url_;
  const plan* how_;
  report* into_;
  std::optional<quern::connection> db_;
  seconds last_{-1};
  std::int64_t events_ = 0;
  std::int64_t brief_events_ = 0;
};

void count(const harm& done, report& into) {
  const auto add = [&](const char* what, int number) { into.count(what, static_cast<std::uint64_t>(number)); };
  add("processes killed", done.kills);
  add("processes frozen", done.freezes);
  add("sessions terminated", done.terminated);
  add("connections cut", done.cuts);
  add("connections stalled", done.stalls);
  add("servers crashed", done.crashes);
  add("times that the disk was full", done.full);
  add("server processes killed", done.dead_backends);
  add("transactions that pinned the horizon", done.held);
}

/// A worker of the library has a session for each of its threads, one that extends leases, and one of its handlers.
cluster::scratch::setting_list settings_of(const plan& how) {
  constexpr int others = 100;
  constexpr int sessions_of_a_worker = 5;
  // Little is kept of the log of changes, so that files are made all the time: a full disk is met there, too.
  return {{"min_wal_size", "2MB"},
          {"max_wal_size", "64MB"},
          {"max_connections", std::to_string(others + sessions_of_a_worker * std::max(how.workers, 20))}};
}

void act(cluster::scratch& server, const disk& under, const plan& how, report& into) {
  const proxy between{server.url(), how.seed};
  troupe players{{server.url(), between.url()}, how.directory, how.seed, how.workers};
  faults trouble{server, settings_of(how), under, between, players, how.seed, how.is_short};
  onlooker watching{server.url(), how, into};
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const auto passed = std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - begin);
    if (passed >= seconds{how.seconds} || is_interrupted != 0) {
      into.count("seconds", static_cast<std::uint64_t>(passed.count()));
      break;
    }
    players.raise();
    trouble.step();
    watching.step(passed, trouble.done());
    std::this_thread::sleep_for(milliseconds{10});
  }
  trouble.end();
  players.end();
  if (how.is_terminal) fmt::print(stderr, "\n");
  count(trouble.done(), into);
}

/// After a crash at the very end the server may still be coming up.
void wait_for_server(cluster::scratch& server, const plan& how) {
  server.start(settings_of(how));
  for (int i = 0; i < 300; ++i) {
    try {
      quern::connection{server.url()};
      return;
    } catch (const quern::error&) {
      std::this_thread::sleep_for(milliseconds{100});
    }
  }
  throw std::runtime_error{"the server did not come back"};
}

void check(const std::string& url, const plan& how, report& into) {
  quern::connection db{url};
  for_each_record(how.directory, "both",
                  [&](const std::string& file, const record& each) { take_trouble(into, file, each); });
  check_stream(db, how.directory, "activity", std::chrono::days{10}, into);
  check_stream(db, how.directory, "brief", seconds{2}, into);
  for (const char* queue : {"jobs", "letters", "urgent", "orders", "steps"})
    check_queue(db, how.directory, queue, into);
  const auto changed = db.execute(changed_rows).value<std::string>();
  if (!changed.empty()) into.violation("I4", "{}", changed);
}

}  // namespace

bool was_cut_short() {
  return is_interrupted != 0;
}

report play(const plan& how) {
  for (const int request : {SIGINT, SIGTERM, SIGHUP}) std::signal(request, [](int) { is_interrupted = 1; });
  fs::remove_all(how.directory);
  fs::create_directories(how.directory);
  fmt::print("seed {}, {} s\n", how.seed, how.seconds);
  std::fflush(stdout);
  report found;
  // What is kept in memory may not hold more.
  constexpr std::int64_t deepest_in_memory = 2'000'000;
  const disk under{how.depth <= deepest_in_memory};
  if (!under.is_there()) fmt::print("the disk is never full: {}\n", under.reason());
  cluster::scratch server{settings_of(how), under.directory()};
  install(server.url(), how.templates, how.without);
  if (how.depth > 0) make_deep(server.url(), how.directory, how.depth, found);
  act(server, under, how, found);
  wait_for_server(server, how);
  drain(server.url(), found);
  check(server.url(), how, found);
  return found;
}

}  // namespace torture
