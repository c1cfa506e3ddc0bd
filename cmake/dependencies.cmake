# Everything that comes from the distribution; scripts/lib/packages.sh installs it.

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_package(pg_query REQUIRED)
find_package(mustache REQUIRED)
