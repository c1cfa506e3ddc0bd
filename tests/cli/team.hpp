#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/repository.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"

/// Two people who change queues on two branches.
namespace test {

using strings = std::vector<std::string>;

inline constexpr std::string_view team_declaration = R"([project]
name = "shop"

[enums.channel]
values = ["email", "sms"]

[queues.email]
lease = "30s"

[queues.email.payload]
order_id = "int64"
channel  = { type = "channel", default = "email" }

[queues.invoice]
lease = "30s"

[queues.invoice.payload]
order_id = "int64"

[queues.parcel]
lease = "30s"

[queues.parcel.payload]
order_id = "int64"
)";

/// A project with a release on the branch main, and a database.
class team {
 public:
  team() {
    here_.desk().write("quern.toml", std::string{team_declaration});
    here_.must_quern({"generate"});
    here_.must_quern({"release"});
    here_.commit("Release");
  }

  const test::repository& repository() const { return here_; }

  /// A branch from main with one change of the declaration, generated and committed.
  void branch(const std::string& name, const std::string& before, const std::string& after) const {
    here_.must_git({"checkout", "-q", "-b", name, "main"});
    change(name, before, after);
  }

  void change(const std::string& subject, const std::string& before, const std::string& after) const {
    here_.edit("quern.toml", before, after);
    here_.must_quern({"generate"});
    here_.commit(subject);
  }

  /// Adds a line to the payload of a queue.
  void branch_with_field(const std::string& name, const std::string& queue, const std::string& field) const {
    const auto head = fmt::format("[queues.{}.payload]\n", queue);
    branch(name, head, head + field + "\n");
  }

  /// Both sides' lines, the way most conflicts in a declaration are resolved.
  void keep_both() const {
    const auto text = here_.desk().read("quern.toml");
    std::string merged;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at) + 1;
      const auto line = std::string_view{text}.substr(at, end - at);
      if (!line.starts_with("<<<<<<<") && !line.starts_with("=======") && !line.starts_with(">>>>>>>")) merged += line;
      at = end;
    }
    here_.desk().write("quern.toml", merged);
  }

  /// Files that git could not merge.
  strings conflicts() const {
    const auto all = here_.must_git({"diff", "--name-only", "--diff-filter=U"}) + "\n";
    strings result;
    for (std::size_t at = 0; at + 1 < all.size();) {
      const auto end = all.find('\n', at);
      result.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return result;
  }

  bool conflicts_in(const std::string& file) const {
    const auto all = conflicts();
    return std::find(all.begin(), all.end(), file) != all.end();
  }

  strings migrations(const std::string& line) const {
    strings result;
    for (const auto& file : std::filesystem::directory_iterator{here_.desk().root() / "migrations" / line})
      if (file.is_regular_file()) result.push_back(file.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }

  /// Everything is as it has to be before it is pushed.
  void is_clean(const std::string& base) const {
    CHECK(here_.must_quern({"generate", "--check"}).out.empty());
    const auto checked = here_.quern({"check", "--against", base});
    INFO(checked.out);
    CHECK(checked.exit_code == 0);
    CHECK(here_.must_quern({"generate"}).out == "nothing has changed\n");
  }

  test::outcome migrate(strings more = {}) const {
    strings words{"migrate", "--database", database_.url()};
    words.insert(words.end(), more.begin(), more.end());
    return here_.quern(words);
  }

  void must_migrate(const strings& more = {}) const {
    const auto ended = migrate(more);
    INFO(ended.out);
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
  }

  const std::string& url() const { return database_.url(); }

 private:
  test::repository here_;
  test::database database_;
};

/// Branch `a` adds a note to queue email, `b` a tag: they conflict.
inline void make_conflict(const team& of) {
  of.branch_with_field("a", "email", "note = \"text?\"");
  of.branch_with_field("b", "email", "tag = \"text?\"");
}

}  // namespace test
