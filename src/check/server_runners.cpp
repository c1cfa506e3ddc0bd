// Two runners at once, while somebody else builds an index concurrently: a runner that waits inside of a query would
// deadlock with it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "check/server_run.hpp"
#include "migrate/drift_expected.hpp"

namespace check {
namespace {

constexpr std::string_view busy_table = R"(create schema quern_check;
create table quern_check.busy (number integer);
insert into quern_check.busy select generate_series(1, 1000);
)";

/// An index build that waits for a writer, until it is let go.
class index_build {
 public:
  explicit index_build(const std::string& url) : writer_{url, options()}, builder_{url, options()} {
    writer_.run_script(busy_table);
    writer_.run_script("begin");
    writer_.run_script("insert into quern_check.busy values (0)");
    builder_.execute("set statement_timeout = '60s'");
    thread_ = std::jthread{[this] { build(); }};
    while (!is_over_ && !is_waiting()) std::this_thread::yield();
  }

  /// The writer ends, and the build goes through its next phases beside whoever is at work.
  void let_go() {
    std::call_once(once_, [this] { writer_.run_script("commit"); });
  }

  /// What it failed with; empty when the index is there.
  std::string end() {
    let_go();
    thread_.join();
    return failure_;
  }

 private:
  static quern::connection_options options() { return {.application_name = "quern check"}; }

  void build() {
    try {
      builder_.execute("create index concurrently busy_number on quern_check.busy (number)");
    } catch (const quern::error& failed) {
      failure_ = failed.what();
    }
    is_over_ = true;
  }

  bool is_waiting() {
    return writer_
        .execute("select exists (select from pg_locks where pid = $1 and not granted)",
                 static_cast<std::int32_t>(builder_.backend_pid()))
        .value<bool>();
  }

  quern::connection writer_;
  quern::connection builder_;
  std::string failure_;
  std::atomic<bool> is_over_ = false;
  std::once_flag once_;
  std::jthread thread_;
};

class runners_check {
 public:
  explicit runners_check(const server_run& run) : run_{run}, at_{run.database()} {}

  void run() {
    run_.how.progress("two runners at once, beside a concurrent index build");
    index_build build{at_->url()};
    std::array<std::exception_ptr, 2> failures;
    {
      std::array<std::jthread, 2> runners;
      for (std::size_t i = 0; i < runners.size(); ++i)
        runners[i] = std::jthread{[this, i, &failures, &build] { failures[i] = play(build); }};
    }
    const std::string built = build.end();
    for (const std::exception_ptr& one : failures) report(one);
    if (!built.empty()) add(fmt::format("the index build beside them fails: {}", built));
    if (run_.how.is_thorough || std::ranges::none_of(failures, [](const auto& one) { return one != nullptr; })) judge();
  }

 private:
  std::exception_ptr play(index_build& build) {
    auto how = run_.request(*at_);
    how.applied = [&](const migrate::migration& one, const migrate::step& part, auto) {
      build.let_go();
      const std::lock_guard guard{mutex_};
      ++times_[migrate::title(one) + ", step " + part.name];
    };
    try {
      migrate::apply(run_.files, how);
    } catch (const std::exception&) {
      return std::current_exception();
    }
    return nullptr;
  }

  void report(const std::exception_ptr& one) {
    if (one == nullptr) return;
    try {
      std::rethrow_exception(one);
    } catch (const migrate::error& failed) {
      if (!is_of_migrations(failed)) throw;
      add(fmt::format("one of two runners fails: {}", first_words(failed)));
    }
  }

  void judge() {
    for (const migrate::migration& one : run_.files.migrations)
      for (const migrate::step& part : one.steps)
        if (const int times = times_[migrate::title(one) + ", step " + part.name]; times != 1)
          run_.add(name::server_runners, "server_runners_collide", one, &part,
                   fmt::format("two runners at once applied it {} times", times), "");
    for (const auto& one : differences(run_.installed, run_.catalog(*at_)))
      run_.add_at_object(name::server_runners, "server_runners_collide", one.object,
                         fmt::format("two runners at once do not make what one makes: {}", one.words));
  }

  void add(std::string words) {
    // Both runners often fail in the same way.
    if (!told_.insert(words).second) return;
    run_.add_at_line(name::server_runners, "server_runners_collide", contract::core_line, std::move(words),
                     "a step must not hold a snapshot while it waits for another session");
  }

  const server_run& run_;
  std::unique_ptr<scratch_place> at_;
  std::set<std::string> told_;
  std::mutex mutex_;
  std::map<std::string, int> times_;
};

}  // namespace

void check_runners(const server_run& run) {
  runners_check{run}.run();
}

}  // namespace check
