#include <iostream>
#include <my/migrating/migrations.hpp>
#include <quern/connection.hpp>
#include <quern/migrate.hpp>
#include <string_view>

// migrator URL [verify]
int main(int count, char** arguments) try {
  const quern::connection db{arguments[1]};
  if (count == 2) {
    const auto say = [](std::string_view words) { std::cout << words << '\n'; };
    std::cout << quern::migrate(db, my::migrating::migrations(), {.progress = say}).steps << " applied\n";
  }
  quern::verify(db, my::migrating::migrations());

} catch (const quern::migration_error& refused) {
  std::cout << refused.what() << '\n';
  return 1;
}
