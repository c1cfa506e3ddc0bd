# Everything that comes from the distribution; scripts/lib/packages.sh installs it.

# What the library itself needs is seen by whoever links it, also from outside when the project is a part of another one.
foreach(package PostgreSQL Threads)
  if(NOT TARGET ${package}::${package})
    find_package(${package} REQUIRED)
    set_target_properties(${package}::${package} PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endforeach()

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(pg_query REQUIRED)
find_package(mustache REQUIRED)
