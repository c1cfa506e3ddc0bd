#include "queue/dump.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "queue/workshop.hpp"
#include "support/catch.hpp"

namespace test {

void use_up_transaction_ids(session& db) {
  db.ask("do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$");
}

void move_schema(const std::string& from, const std::string& schema, const std::string& to, std::string_view snapshot) {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("quern_dump_{}.sql", ::getpid());
  const auto run = [](const std::string& command) { REQUIRE(std::system(command.c_str()) == 0); };
  const auto as_of = snapshot.empty() ? std::string{} : fmt::format("--snapshot='{}' ", snapshot);
  run(fmt::format("pg_dump {}--schema={} --file='{}' '{}'", as_of, schema, file.string(), from));
  run(fmt::format("psql -X -q -v ON_ERROR_STOP=1 -f '{}' '{}' > /dev/null", file.string(), to));
  std::filesystem::remove(file);
}

}  // namespace test
