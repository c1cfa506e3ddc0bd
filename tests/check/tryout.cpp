#include "check/tryout.hpp"

#include <memory>
#include <utility>

#include "support/database.hpp"

namespace test {

namespace {

class place final : public check::scratch_place {
 public:
  const std::string& url() const override { return database_.url(); }

 private:
  database database_;
};

}  // namespace

tryout try_out(const made_project& what, std::vector<std::string_view> only) {
  // Other tests use them at the same time.
  for (const auto* role : {"web", "mailer", "ops"}) ensure_role(role);
  tryout made;
  check::server_options how;
  how.make_database = [] { return std::make_unique<place>(); };
  how.only = std::move(only);
  how.noted = [&](std::string_view words) { made.notes.emplace_back(words); };
  check::report found;
  const auto& root = what.root();
  check::check_on_server({root / "quern.toml", root / "migrations", root / "generated"}, std::nullopt, how, found);
  for (const auto& one : found.findings)
    made.findings.push_back(std::filesystem::path{one.file}.lexically_relative(root).string() + ": " +
                            one.what.message + " [" + one.what.code + "]");
  made.checks = found.checks;
  return made;
}

}  // namespace test
