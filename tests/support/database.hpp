#pragma once

#include <string>
#include <string_view>

/// Databases for tests. Which server they are on is nobody's concern: the one that QUERN_TEST_DATABASE names (CTest
/// starts one for all), else a throw-away one that the first test starts and that ends with the process.
namespace test {

/// A database of the server that all tests of a run share, with superuser rights.
const std::string& server_url();

/// `url` with another database: a URL or libpq's keywords come in, a URL comes out.
std::string with_database(std::string_view url, std::string_view name);

/// `url` with another user.
std::string with_user(std::string_view url, std::string_view name);

/// `url` with a setting of the session: `work_mem`, `1MB`.
std::string with_setting(std::string_view url, std::string_view name, std::string_view value);

/// `url` with the name that pg_stat_activity shows.
std::string with_application(std::string_view url, std::string_view name);

/// An empty database of a test's own; dropped at its end together with its sessions.
class database {
 public:
  database();
  ~database();

  /// A copy of what is in another one, in which no session may be.
  database(const database& like);

  database& operator=(const database&) = delete;

  /// What libpq and `--database` take.
  const std::string& url() const { return url_; }

  const std::string& name() const { return name_; }

 private:
  explicit database(std::string_view like);

  std::string name_;
  std::string url_;
};

/// Roles belong to the whole server, which tests share at the same time: makes a role that can log in unless there is
/// one already. It is never dropped.
void ensure_role(std::string_view name);

/// Waits until the query, which returns one boolean, returns true; asks every few milliseconds. Fails the test with the
/// query's text after 30 seconds.
void wait_until(std::string_view url, std::string_view query);

}  // namespace test
