// quern_bench: every figure is a ratio to the limit of the same server, measured in the same run.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "interrupt.hpp"
#include "scene.hpp"
#include "server.hpp"

namespace {

namespace fs = std::filesystem;

struct group {
  const char* name;
  std::vector<bench::row> (*measure)(const bench::scene&);
};

constexpr group groups[] = {{"enqueue", bench::enqueue_rows},
                            {"bulk", bench::bulk_rows},
                            {"claim", bench::claim_rows},
                            {"depth", bench::depth_rows},
                            {"priority", bench::priority_rows},
                            {"unique", bench::unique_rows},
                            {"queue_log", bench::queue_log_rows},
                            {"queue_by_hand", bench::queue_by_hand_rows},
                            {"queue_ordered", bench::queue_ordered_rows},
                            {"queue_crowded", bench::queue_crowded_rows},
                            {"queue_pinned", bench::queue_pinned_rows},
                            {"queue_wake_up", bench::queue_wake_up_rows},
                            {"queue_latency", bench::queue_latency_rows},
                            {"stream_publish", bench::stream_publish_rows},
                            {"stream_bulk", bench::stream_bulk_rows},
                            {"stream_read", bench::stream_read_rows},
                            {"stream_depth", bench::stream_depth_rows},
                            {"stream_consumers", bench::stream_consumers_rows},
                            {"stream_cooperative", bench::stream_cooperative_rows},
                            {"stream_pinned", bench::stream_pinned_rows},
                            {"stream_latency", bench::stream_latency_rows},
                            {"generate", bench::generate_rows},
                            {"migrate", bench::migrate_rows}};

struct arguments {
  std::string program;
  std::string directory = "build/bench";
  std::string database{};
  std::vector<std::string> rows{};
  bool is_quick = false;
  bool is_smoke = false;
  bool is_json = false;
};

bench::effort effort_of(const arguments& given) {
  bench::effort how;
  if (given.is_quick) {
    how.rounds = 7;
    how.time = std::chrono::duration<double>{0.3};
    how.drains = 2;
    how.bulk_count = 100'000;
    how.generate_rounds = 1;
    how.depth = 1'000'000;
    how.stream_depth = 1'000'000;
    how.pinned = std::chrono::seconds{15};
    how.latencies = 500;
  }
  if (given.is_smoke)
    how = {.rounds = 1,
           .time = std::chrono::duration<double>{0.02},
           .bulk_count = 100,
           .depth = 3'000,
           .drained = 1'000,
           .drains = 1,
           .queue_counts = {2, 4},
           .generate_rounds = 1,
           .migrated_queues = 2,
           .stream_depth = 30'000,
           .pinned = std::chrono::duration<double>{0.1},
           .latencies = 10,
           .crowd = 200};
  return how;
}

bool is_wanted(const arguments& given, const group& each) {
  return given.rows.empty() || std::ranges::find(given.rows, each.name) != given.rows.end();
}

std::string machine() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return fmt::format("{} processor(s)", std::thread::hardware_concurrency());
}

std::vector<bench::row> measure(const arguments& given, const bench::scene& where) {
  bench::prepare_database(where);
  std::vector<bench::row> rows;
  for (const group& each : groups) {
    if (!is_wanted(given, each)) continue;
    fmt::print(stderr, "measuring: {}\n", each.name);
    const std::vector<bench::row> more = each.measure(where);
    for (const bench::row& row : more) fmt::print(stderr, "  {}: {:.2f}\n", row.what, row.ratio);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

void print(const arguments& given, const std::vector<bench::row>& rows) {
  if (given.is_json) {
    fmt::print("{}", bench::as_json(rows));
    return;
  }
  fmt::print("\nquern against the limit of the same server, in turns, {}\n\n{}", machine(), bench::as_table(rows));
}

int run(const arguments& given) {
  const fs::path directory = fs::absolute(given.directory);
  fs::create_directories(directory);
  const bench::private_server server{directory / "server"};
  const bench::scene where{
      .url = server.url(), .program = fs::absolute(given.program), .directory = directory, .how = effort_of(given)};
  print(given, measure(given, where));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  CLI::App program{"Measures quern against the limit of the same server", "quern_bench"};
  arguments given;
  std::vector<std::string> names;
  for (const group& each : groups) names.emplace_back(each.name);
  program.add_option("--quern", given.program, "The program quern")->required()->check(CLI::ExistingFile);
  program.add_option("--dir", given.directory, "Where the server and the files live")->capture_default_str();
  program.add_option("rows", given.rows, "Only these groups of rows")->check(CLI::IsMember(names));
  program.add_flag("--quick", given.is_quick, "Shorter and fewer rounds");
  program.add_flag("--smoke", given.is_smoke, "See whether it works; the figures mean nothing");
  program.add_flag("--json", given.is_json, "As JSON");
  CLI11_PARSE(program, count, words);
  bench::catch_interrupts();
  try {
    return run(given);
  } catch (const bench::interrupted&) {
    fmt::print(stderr, "interrupted: the server has been stopped\n");
    return 130;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "quern_bench: {}\n", problem.what());
    return 1;
  }
}
