#include "contract/merge.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using contract::line;
using contract::lock;
using contract::migration;

/// A line whose first `released` migrations are history; their checksums are their files.
line make_line(const std::string& name, const std::vector<std::string>& files, std::size_t released) {
  line made{.name = name};
  for (const auto& file : files) made.migrations.push_back({file, file});
  if (released < files.size()) made.released = contract::released_part{.migrations = released};
  return made;
}

lock make_lock(std::vector<line> lines) {
  return {.project = "shop", .schema = "shop", .enumerations = {}, .lines = std::move(lines)};
}

lock with_email(const std::vector<std::string>& files, std::size_t released) {
  return make_lock({make_line("email", files, released)});
}

/// How many migrations of the line are history once what the base has is released.
std::size_t released_in(const lock& base, const lock& own) {
  const auto made = contract::released_where_in(base, own);
  const auto& of = made.lines.front();
  return of.released ? of.released->migrations : of.migrations.size();
}

}  // namespace

TEST_CASE("what is released on both sides in the same place and differs is told, with both names") {
  const auto base = with_email({"0001_create", "0002_theirs"}, 2);
  const auto apart = contract::released_apart(with_email({"0001_create", "0002_ours"}, 2), base);
  REQUIRE(apart);
  CHECK(apart->line == "email");
  CHECK(apart->own == "0002_ours");
  CHECK(apart->base == "0002_theirs");
  auto edited = with_email({"0001_create", "0002_theirs"}, 2);
  edited.lines.front().migrations.back().checksum = "edited";
  CHECK(contract::released_apart(edited, base));
}

TEST_CASE("drafts, lines of one side alone, and what one side has on top of the other are not apart") {
  const auto base = with_email({"0001_create", "0002_theirs"}, 2);
  CHECK_FALSE(contract::released_apart(with_email({"0001_create", "0002_ours"}, 1), base));
  CHECK_FALSE(contract::released_apart(make_lock({make_line("sms", {"0001_create"}, 1)}), base));
  CHECK_FALSE(contract::released_apart(with_email({"0001_create"}, 1), base));
  CHECK_FALSE(contract::released_apart(with_email({"0001_create", "0002_theirs", "0003_ours"}, 3), base));
}

TEST_CASE("a draft that the base has counts as released, and what comes behind it stays a draft") {
  const std::vector<std::string> three{"0001_create", "0002_note", "0003_tags"};
  CHECK(released_in(with_email({"0001_create", "0002_note"}, 2), with_email(three, 1)) == 2);
  CHECK(released_in(with_email(three, 3), with_email(three, 1)) == 3);
  CHECK(released_in(with_email({"0001_create", "0002_note", "0003_tags", "0004_more"}, 4), with_email(three, 1)) == 3);
}

TEST_CASE("a draft is not released by a base that has another one in its place, or less than is released") {
  const auto own = with_email({"0001_create", "0002_ours", "0003_ours"}, 2);
  CHECK(released_in(with_email({"0001_create"}, 1), own) == 2);
  CHECK(released_in(with_email({"0001_create", "0002_ours"}, 2), own) == 2);
  CHECK(released_in(with_email({"0001_create", "0002_ours", "0003_theirs"}, 3), own) == 2);
  CHECK(released_in(make_lock({make_line("sms", {"0001_create"}, 1)}), own) == 2);
}
