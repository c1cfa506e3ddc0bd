#include "server.hpp"

#include <quern/connection.hpp>

#include "bare_log.hpp"
#include "bare_table.hpp"
#include "cluster/server.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;

cluster::options durable(const fs::path& directory) {
  cluster::options how;
  how.directory = directory;
  how.settings = {
      {"fsync", "on"},         {"synchronous_commit", "on"},    {"full_page_writes", "on"}, {"shared_buffers", "512MB"},
      {"max_wal_size", "8GB"}, {"checkpoint_timeout", "30min"}, {"max_connections", "100"}};
  return how;
}

}  // namespace

private_server::private_server(const fs::path& directory) : directory_{directory} {
  cluster::destroy(directory_);
  url_ = cluster::start(durable(directory_)).url;
}

private_server::~private_server() {
  try {
    cluster::destroy(directory_);
  } catch (...) {
    // Where it stands was said by cluster::start; scripts/bench tries once more.
  }
}

std::string with_database(const std::string& url, const std::string& name) {
  return url + "&dbname=" + name;
}

void prepare_database(const scene& where) {
  const fs::path migrations = where.directory / "migrations";
  fs::remove_all(migrations);
  quern_seconds(where, {"generate", "--file", QUERN_BENCH_DIR "/quern.toml", "--migrations", migrations.string(),
                        "--out", (where.directory / "generated").string()});
  quern_seconds(where, {"migrate", "--migrations", migrations.string(), "--database", where.url});
  quern::connection db{where.url};
  make_bare_table(db);
  make_bare_log(db);
}

}  // namespace bench
