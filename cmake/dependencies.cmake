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
# It asserts of its input what it looks at again behind that, as that a key begins after a bracket: no declaration is to
# end the program by that.
set_property(TARGET tomlplusplus::tomlplusplus APPEND PROPERTY
  INTERFACE_COMPILE_OPTIONS "-DTOML_ASSERT(x)=static_assert(true)")
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(pg_query REQUIRED)
find_package(mustache REQUIRED)
