#include "depth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <quern/connection.hpp>
#include <quern/producer.hpp>
#include <ranges>
#include <torture/jobs.hpp>
#include <torture/letters.hpp>

#include "history.hpp"

namespace torture {
namespace {

constexpr std::int64_t most_at_once = 100'000;

template <class Contract>
void make_deep(quern::connection& db, const std::filesystem::path& histories, std::int64_t depth, report& into) {
  using payload = typename Contract::payload_type;
  history notes{histories / fmt::format("{}.depth", Contract::queue)};
  quern::producer<Contract> producer{db};
  const auto begin = std::chrono::steady_clock::now();
  // Other transactions have far larger numbers.
  for (std::int64_t tx = 1, left = depth; left > 0; ++tx, left -= most_at_once) {
    const auto count = static_cast<std::int32_t>(std::min(left, most_at_once));
    notes.note(mark::begun, tx);
    notes.note(mark::intent, tx, count);
    producer.enqueue_all(std::views::iota(0, count) |
                         std::views::transform([&](std::int32_t place) { return payload{.tx = tx, .place = place}; }));
    notes.note(mark::committed, tx);
  }
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  into.count(fmt::format("{}: messages deep", Contract::queue), static_cast<std::uint64_t>(depth));
  into.count(fmt::format("{}: seconds to make it so", Contract::queue), static_cast<std::uint64_t>(time.count()));
}

}  // namespace

void make_deep(const std::string& url, const std::filesystem::path& histories, std::int64_t depth, report& into) {
  quern::connection db{url};
  make_deep<jobs_v1_contract>(db, histories, depth, into);
  make_deep<letters_v1_contract>(db, histories, depth, into);
}

}  // namespace torture
