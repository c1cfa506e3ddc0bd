#include "cli/check_server.hpp"

#include <fmt/format.h>

#include <memory>
#include <quern/connection.hpp>
#include <quern/error.hpp>

#include "cli/command.hpp"
#include "cli/migrations.hpp"
#include "cli/operated.hpp"
#include "cli/terminal.hpp"
#include "cluster/error.hpp"
#include "cluster/scratch.hpp"
#include "cluster/scratch_database.hpp"
#include "migrate/error.hpp"

namespace cli {
namespace {

class place final : public check::scratch_place {
 public:
  explicit place(const std::string& server) : database_{server} {}
  const std::string& url() const override { return database_.url(); }

 private:
  cluster::scratch_database database_;
};

void refuse_without_right(const std::string& server) {
  quern::connection db{server, {.application_name = "quern check"}};
  if (cluster::may_create_databases(db)) return;
  throw failure{
      exit_code::not_permitted,
      "no scratch database can be made there: the server is read-only, or this user needs CREATEDB; --scratch "
      "uses a private server"};
}

void run(const check_server_arguments& given, const std::string& server, const check::places& where,
         const std::optional<check::base>& against, check::report& found) {
  refuse_without_right(server);
  check::server_options how;
  how.make_database = [&] { return std::make_unique<place>(server); };
  how.is_thorough = given.is_thorough;
  how.progress = [](std::string_view line) { tell_for_now(line); };
  how.noted = [](std::string_view line) { tell(line); };
  check::check_on_server(where, against, how, found);
}

}  // namespace

void add_options(const command_line& command, check_server_arguments& given) {
  const command_option database = command.add_option(
      "--database", given.database,
      "Also try everything out on this server (a URL, or libpq's keyword=value form), in scratch databases that are "
      "dropped again; the database itself is not touched");
  const command_option scratch =
      command.add_flag("--scratch", given.is_private, "The same on a private server that is gone afterwards");
  scratch.excludes(database);
  command.add_flag("--thorough", given.is_thorough,
                   "With a server: kill the runner at every step of the history, and try the contracts after each");
}

void check_on_server(const check_server_arguments& given, const check::places& where,
                     const std::optional<check::base>& against, check::report& found) try {
  if (!given.is_private) return run(given, given.database, where, against, found);
  tell_for_now("starting a private server");
  const cluster::scratch server;
  run(given, server.url(), where, against, found);

} catch (const migrate::error& failed) {
  throw failure{code_of(failed.why()), failed.what()};
} catch (const cluster::error& failed) {
  throw failure{exit_code::unreachable, failed.what()};
} catch (const quern::error& failed) {
  throw failure{failed.connection_lost()   ? exit_code::unreachable
                : is_not_permitted(failed) ? exit_code::not_permitted
                                           : exit_code::migration_failed,
                fmt::format("the server cannot be worked with: {}", failed.what())};
}

}  // namespace cli
